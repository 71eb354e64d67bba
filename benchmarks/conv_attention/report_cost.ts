import type { Cell, ReportInput, RunBody } from "../../harness/contract.ts";
import { medianNs, metricOf, rowsOf, variantsOf } from "../leap/rows.ts";
import { PROMPTS } from "./prompts.ts";
import { interval, pairsOf, spread } from "./report_format.ts";

type Section = ReportInput["sections"][number];

/** Parameters of each stage and what the switches did. */
export function stageSection({ cells }: RunBody): Section {
  const rows = rowsOf(cells, "train").filter((row) =>
    metricOf(row, "stage-1-parameters") !== undefined
  );
  return {
    heading: "Stages",
    tables: rows.length === 0 ? [] : [{
      title: "Stages of progressive divergence",
      columns: [
        { name: "model" },
        { name: "stage", align: "right" },
        { name: "last step", align: "right" },
        { name: "parameters", align: "right" },
        { name: "trainable", align: "right" },
        { name: "change of validation loss by the switch itself", align: "right" },
        { name: "bump of training loss after it", align: "right" },
        { name: "validation loss, next less switch", align: "right" },
      ],
      rows: variantsOf(rows).flatMap((variant) => {
        const own = rows.filter((row) => row.variant === variant);
        const value = (stage: number, what: string) => metricOf(own[0], `stage-${stage}-${what}`);
        return [1, 2, 3].map((stage) => [
          variant,
          stage,
          value(stage, "last-step") ?? null,
          value(stage, "parameters") ?? null,
          value(stage, "trainable") ?? null,
          exponential(own, `stage-${stage}-switch-jump`),
          spread(own, `stage-${stage}-switch-bump`, null, 3),
          spread(own, `stage-${stage}-first-validation-change`, null, 3),
        ]);
      }),
      note:
        "Nats per token, mean over seeds. The switch itself leaves the function as it was; the bump compares the mean training loss of the " +
        "steps after with that of the steps before.",
    }],
  };
}

function exponential(rows: readonly Cell[], metric: string): string | null {
  const values = rows.map((row) => metricOf(row, metric)).filter((v) => v !== undefined);
  if (values.length === 0) return null;
  return Math.max(...values.map(Math.abs)).toExponential(1);
}

/** Time, memory and size of every model. */
export function costSection({ cells, comparisons }: RunBody): Section {
  const rows = rowsOf(cells, "speed");
  const training = rowsOf(cells, "train");
  return {
    heading: "Cost",
    tables: rows.length === 0 ? [] : [{
      title: "Time and memory of one micro-batch and of one inference",
      columns: [
        { name: "model" },
        { name: "stage", align: "right" },
        { name: "parameters", align: "right" },
        { name: "T", align: "right" },
        { name: "training batch (ms)", align: "right" },
        { name: "tokens/s", align: "right" },
        { name: "inference (ms)", align: "right" },
        { name: "inference, merged LoRA (ms)", align: "right" },
        { name: "peak (MiB)", align: "right" },
        { name: "batch / GPT-2 of that T", align: "right" },
      ],
      rows: rows.map((row) => [
        row.variant,
        Number(row.params.stage ?? NaN) || null,
        row.implementation?.parameters ?? null,
        Number(row.params.T),
        milliseconds(row, "training batch"),
        metricOf(row, "training-speed")?.toFixed(0) ?? null,
        milliseconds(row, "inference"),
        milliseconds(row, "inference, merged"),
        row.memoryBytes ? (row.memoryBytes.peak / 2 ** 20).toFixed(1) : null,
        (row.params.stage ?? 3) === 3 ? ratio(row) : null,
      ]),
      note:
        "Medians of interleaved samples. A training batch is forward and backward of one micro-batch; inference gives the logits of one " +
        "sequence of length T. Peak bytes are exact: weights, gradients, optimizer state and activations of one training step.",
    }, {
      title: "Whole training runs",
      columns: [{ name: "model" }, { name: "training time (s)", align: "right" }, {
        name: "operations",
        align: "right",
      }, { name: "peak (MiB)", align: "right" }],
      rows: variantsOf(training).map((variant) => {
        const own = training.filter((row) => row.variant === variant);
        return [
          variant,
          spread(own, "training-time", null, 1),
          own[0].cost?.flops?.toExponential(2) ?? null,
          own[0].memoryBytes ? (own[0].memoryBytes.peak / 2 ** 20).toFixed(1) : null,
        ];
      }),
    }],
  };

  function ratio(row: Cell): string | null {
    const pair = pairsOf(comparisons).find((c) =>
      c.metric === "training batch" && c.candidate.variant === row.variant
    );
    return pair?.estimate ? `${pair.estimate.toFixed(2)}${interval(pair.interval, 2)}` : null;
  }
}

function milliseconds(row: Cell, phase: string): string | null {
  const ns = medianNs(row, phase);
  return ns === undefined ? null : (ns / 1e6).toPrecision(4);
}

/** Text of the first seed of every model. */
export function samplesSection({ cells }: RunBody): Section {
  const rows = rowsOf(cells, "train").filter((row) => row.notes.length > 0);
  return {
    heading: "Sampled text",
    paragraphs: rows.length === 0 ? [] : [
      "Continuations of fixed prompts by the first seed. A model with a horizon gives that many tokens in one pass, each drawn without knowing the others.",
    ],
    tables: rows.length === 0 ? [] : PROMPTS.map((prompt, i) => ({
      title: `Prompt ${i + 1}, ending "${prompt.slice(-60).replaceAll("\n", " / ")}"`,
      columns: [{ name: "model" }, { name: "continuation" }],
      rows: rows.map((row) => [row.variant, JSON.stringify(row.notes[i] ?? "").slice(1, -1)]),
    })),
  };
}
