import { ANSWER_POSITIONS } from "../../data/mod.ts";
import type { Cell, RunBody } from "../../harness/contract.ts";
import { mean } from "../../harness/statistics/mod.ts";
import { distinct, partOf, summary, valuesOf, where } from "../encoder_training/rows.ts";
import { pairs, type Section, type Table } from "../leap/report_format.ts";
import { percent, signed } from "../truncation/report_format.ts";
import { STAGES } from "./extrapolation.ts";

const right = (name: string) => ({ name, align: "right" as const });

/** Accuracy of every variant on one task. */
export function qualitySection(result: RunBody, task: string): Section {
  const rows = where(partOf(result.cells, "quality"), { task });
  const variants = distinct(rows.map((row) => row.variant));
  const stages = distinct(rows.map((row) => String(row.params.stage)));
  const at = (variant: string, stage: string) => where(rows, { stage }, variant);
  const hasClasses = valuesOf(rows, "macro-f1").length > 0;
  const table: Table = {
    title: "Accuracy by attention; trained: after the same further training on the same documents",
    columns: [
      ...["attention", "cost is"].map((name) => ({ name })),
      ...stages.map((stage) => right(stage)),
      ...(hasClasses ? [right("macro-F1")] : []),
      right("less full, trained"),
      { name: "verdict" },
      ...["peak MB", "seeds"].map(right),
    ],
    rows: variants.map((variant) => {
      const trained = at(variant, "trained");
      const pair = pairs(result.comparisons).find((c) =>
        c.id === `quality-trained-${task}-${variant}`
      );
      const peaks = trained.flatMap((row) => row.memoryBytes ? [row.memoryBytes.peak] : []);
      return [
        variant,
        trained[0]?.implementation?.label ?? null,
        ...stages.map((stage) => accuracy(at(variant, stage))),
        ...(hasClasses ? [percent(summary(trained, "macro-f1")?.mean ?? NaN)] : []),
        pair
          ? `${signed(pair.estimate)}${
            pair.interval ? ` [${signed(pair.interval.low)}, ${signed(pair.interval.high)}]` : ""
          }`
          : null,
        pair?.verdict ?? null,
        peaks.length > 0 ? (mean(peaks) / 1e6).toFixed(1) : null,
        trained.length,
      ];
    }),
    note:
      (stages.includes("exchanged")
        ? "exchanged: the attention of the model trained with full attention exchanged, nothing trained since. "
        : "") +
      "Intervals over seeds; differences paired by test document, each averaged over seeds, corrected together (Holm).",
  };
  return {
    heading: `Quality: ${task}`,
    paragraphs: setting(result, task),
    tables: [table, ...positionTable(rows, variants)],
    charts: positionChart(rows, variants, task),
  };
}

function setting(result: RunBody, task: string): string[] {
  const rows = where(partOf(result.cells, "prepare"), { task });
  const value = (metric: string) => summary(rows, metric)?.mean;
  if (value("test-documents") === undefined) return [];
  const loss = value("pretraining-loss");
  return [
    `${value("train-documents")} training and ${value("test-documents")} test inputs of ${
      value("test-tokens")!.toFixed(0)
    } tokens on average; ${
      value("duplicates")
    } test documents were left out because training has their text` +
    (value("majority-share") === undefined
      ? ""
      : `; naming the most frequent class is right for ${percent(value("majority-share")!)}`) +
    (loss === undefined ? "." : `; loss at the end of pretraining ${loss.toFixed(2)} nats.`),
  ];
}

/** Accuracy by the place of the answer, of the trained models. */
function positionTable(rows: readonly Cell[], variants: readonly string[]): Table[] {
  const trained = where(rows, { stage: "trained" });
  if (byPosition(trained, ANSWER_POSITIONS[0]) === undefined) return [];
  return [{
    title: "Exact answers by their place in the context",
    columns: [{ name: "attention" }, ...ANSWER_POSITIONS.map(right)],
    rows: variants.map((variant) => [
      variant,
      ...ANSWER_POSITIONS.map((position) =>
        percent(byPosition(where(trained, {}, variant), position) ?? NaN)
      ),
    ]),
    note: "Every test question is asked once with its answer in each third.",
  }];
}

function positionChart(rows: readonly Cell[], variants: readonly string[], task: string) {
  const trained = where(rows, { stage: "trained" });
  if (byPosition(trained, ANSWER_POSITIONS[0]) === undefined) return [];
  return [{
    id: `positions-${task}`,
    title: "Exact answers by their place in the context",
    mark: "heatmap" as const,
    x: { label: "place of the answer", scale: "category" as const },
    y: { label: "attention", scale: "category" as const },
    // One cell per attention and place: a line for each of a dozen variants cannot be told apart.
    series: [{
      name: "accuracy",
      points: variants.flatMap((name) =>
        ANSWER_POSITIONS.flatMap((x) => {
          const value = byPosition(where(trained, {}, name), x);
          return value === undefined ? [] : [{ x, y: name, value }];
        })
      ),
    }],
  }];
}

function byPosition(rows: readonly Cell[], position: string): number | undefined {
  const values = rows.flatMap((row) =>
    row.metrics.filter(({ metric }) => metric === "accuracy")
      .flatMap(({ slices }) => slices[position] ?? [])
  );
  return values.length > 0 ? mean(values) : undefined;
}

function accuracy(rows: readonly Cell[]): string | null {
  const value = summary(rows, "accuracy");
  if (!value) return null;
  const low = value.low === null
    ? ""
    : ` [${percent(Math.max(0, value.low))}, ${percent(Math.min(1, value.high!))}]`;
  return `${percent(value.mean)}${low}`;
}

/** Documents longer than anything in training. */
export function extrapolationSection(result: RunBody): Section {
  const rows = partOf(result.cells, "extrapolation");
  const heading = "Longer than trained";
  if (rows.length === 0) return { heading };
  const { encoder, extrapolation } = result.config as {
    encoder?: { positions?: number };
    extrapolation?: { factor?: number; variant?: string; globals?: number };
  };
  const meaning: Record<typeof STAGES[number], string> = {
    truncated: "cut to the source's length, full attention",
    "tiled-full": "whole, positions tiled, full attention, nothing trained",
    "zero-shot": "whole, converted to LSG, nothing trained",
    adapted: "whole, converted, then only global embeddings and head trained",
  };
  return {
    heading,
    paragraphs: [
      `A model trained with full attention on pieces of ${encoder?.positions} tokens reads documents of ${
        (encoder?.positions ?? 0) * (extrapolation?.factor ?? 0)
      }, by conversion to ${extrapolation?.variant} with ${extrapolation?.globals} globals made of the mask token's embedding and old positions ` +
      "(union-periods). The source's own case is 512 to 4096 tokens of RoBERTa base, which is the paper preset; other presets scale both lengths down.",
    ],
    tables: [{
      title: "Accuracy on long documents",
      columns: [
        ...["reading", "what it is", "cost is"].map((name) => ({ name })),
        ...["tokens", "accuracy", "less truncated"].map(right),
        { name: "verdict" },
        ...["training (s)", "seeds"].map(right),
      ],
      rows: STAGES.map((stage) => {
        const own = where(rows, { stage });
        const pair = pairs(result.comparisons).find((c) =>
          c.id === `extrapolation-${stage}-truncated`
        );
        return [
          stage,
          meaning[stage],
          own[0]?.implementation?.label ?? null,
          summary(own, "test-tokens")?.mean.toFixed(0) ?? null,
          accuracy(own),
          pair
            ? `${signed(pair.estimate)}${
              pair.interval ? ` [${signed(pair.interval.low)}, ${signed(pair.interval.high)}]` : ""
            }`
            : null,
          pair?.verdict ?? null,
          summary(own, "training-time")?.mean.toFixed(1) ?? null,
          own.length,
        ];
      }),
      note: pairs(result.comparisons).filter((c) => c.id === "extrapolation-adapted-zero-shot")
        .map((c) => `adapted less zero-shot: ${signed(c.estimate)} (${c.verdict})`).join(""),
    }],
  };
}
