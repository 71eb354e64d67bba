import type { ReportInput, RunBody } from "../../harness/contract.ts";
import { LOSS_PAIRS, TEST_PARTS } from "./compare.ts";
import { curveSections } from "./report_curves.ts";
import { interval, pairsOf, signed, spread } from "./report_format.ts";
import { costSection, samplesSection, stageSection } from "./report_cost.ts";
import { headline } from "./headline.ts";
import { metricOf, numberOf, rowsOf, variantsOf } from "../leap/rows.ts";
import { planOf, type Variant } from "./variants.ts";

type Section = ReportInput["sections"][number];

/** The conv_attention benchmark's part of the report. */
export function reportConvAttention(result: RunBody): ReportInput {
  const sections = [
    leak(result),
    quality(result),
    equalTerms(result),
    ...curveSections(result),
    stageSection(result),
    costSection(result),
    samplesSection(result),
  ];
  return {
    headline: headline(result),
    sections: sections.filter((s) =>
      (s.tables?.length ?? 0) + (s.charts?.length ?? 0) + (s.paragraphs?.length ?? 0) > 0
    ),
  };
}

/** The finding: what the outputs see, and the loss where they see their target and where they do not. */
function leak({ audits, cells, comparisons }: RunBody): Section {
  const seen = audits.filter((audit) => audit.id === "target-leak");
  const order = audits.filter((audit) => audit.id === "causality");
  const rows = rowsOf(cells, "train").filter((row) =>
    metricOf(row, "loss", "test-unseen") !== undefined
  );
  const derived = comparisons.filter((c) => c.kind === "derived");
  return {
    heading: "Target leakage",
    paragraphs: [
      "A model with a horizon h predicts at position t the token at t + h. Where t + h lies inside the block, that token is part of the input. A causal " +
      "model cannot see it; the published expander mixes all positions and can. The last h positions of a block are the only ones whose target is not in " +
      "the input, so they are the only fair test of the published form.",
      "A red audit of conv_attention is the finding of this benchmark, not a fault of the run.",
    ],
    tables: [
      ...(seen.length > 0
        ? [{
          title: "What the outputs see",
          columns: [{ name: "model" }, { name: "causality" }, { name: "own target" }, {
            name: "outputs changed by their own target",
            align: "right" as const,
          }, { name: "finding" }],
          rows: seen.map((audit) => [
            audit.subject,
            order.find(({ subject }) => subject === audit.subject)?.status ?? null,
            audit.status,
            `${audit.statistic} of ${audit.n}`,
            audit.detail,
          ]),
        }]
        : []),
      ...(rows.length > 0
        ? [{
          title:
            "Test loss on seen and unseen targets (nats/token), mean over seeds with 95 % interval",
          columns: [
            { name: "model" },
            { name: "all", align: "right" as const },
            { name: "seen", align: "right" as const },
            { name: "unseen", align: "right" as const },
          ],
          rows: variantsOf(rows).map((variant) => [
            variant,
            ...TEST_PARTS.map((part) =>
              spread(rows.filter((row) => row.variant === variant), "loss", part, 3)
            ),
          ]),
          note:
            "The same positions of the same blocks for every model. Seen: the target stands in the input block (a causal model does not see it). " +
            "On unseen targets the published form still reads the whole block, up to the token before the first of them; the causal form reads up to " +
            "the end of the group before, GPT-2 up to the position itself.",
        }]
        : []),
      ...(derived.length > 0
        ? [{
          title: "What the advantage is made of",
          columns: [{ name: "figure" }, { name: "value", align: "right" as const }, {
            name: "unit",
          }, { name: "how" }],
          rows: derived.map((c) => [
            c.name,
            c.value === null ? null : `${signed(c.value)}${interval(c.interval, 3)}`,
            c.unit,
            c.detail,
          ]),
        }]
        : []),
    ],
  };
}

function quality({ cells }: RunBody): Section {
  const rows = rowsOf(cells, "train");
  const splits = ["train", "validation", "test", "out_of_domain"];
  return {
    heading: "Quality",
    tables: rows.length === 0 ? [] : [{
      title: "Loss, mean over seeds with 95 % interval",
      columns: [
        { name: "model" },
        { name: "parameters", align: "right" },
        { name: "T", align: "right" },
        { name: "predicts t +", align: "right" },
        { name: "steps", align: "right" },
        ...splits.map((split) => ({ name: `${split} (nats/token)`, align: "right" as const })),
        { name: "test (bits/byte)", align: "right" },
        { name: "what it is" },
      ],
      rows: variantsOf(rows).map((variant) => {
        const own = rows.filter((row) => row.variant === variant);
        return [
          variant,
          own[0].implementation?.parameters ?? null,
          numberOf(own[0], "T"),
          numberOf(own[0], "targetDistance"),
          metricOf(own[0], "training-steps") ?? null,
          ...splits.map((split) => spread(own, "loss", split, 3)),
          spread(own, "bits-per-byte", "test", 3),
          planOf(variant as Variant).meaning,
        ];
      }),
      note:
        "The weights of the best validation are tested. Losses of different distances are about different questions: a token h places ahead is " +
        "harder to guess than the next. Train: mean of the last steps.",
    }],
  };
}

function equalTerms({ comparisons }: RunBody): Section {
  const pairs = pairsOf(comparisons).filter((c) => c.metric.startsWith("loss"));
  return {
    heading: "On equal terms",
    tables: pairs.length === 0 ? [] : [{
      title: "Test loss, candidate less baseline, paired by seed",
      columns: [
        { name: "candidate" },
        { name: "baseline" },
        { name: "equal" },
        {
          name: "targets",
        },
        { name: "difference (nats/token)", align: "right" },
        { name: "verdict" },
        {
          name: "seeds",
          align: "right",
        },
      ],
      rows: pairs.map((c) => [
        c.candidate.variant,
        c.baseline.variant,
        LOSS_PAIRS.find(([a, b]) => a === c.baseline.variant && b === c.candidate.variant)?.[2] ??
          "",
        c.metric.slice(6, -1),
        `${signed(c.estimate)}${interval(c.interval, 3)}`,
        c.verdict,
        c.n,
      ]),
      note:
        "Equivalent means within 0.05 nats by two one-sided tests, a margin fixed beforehand. Equal compute: training operations by count, up to the " +
        "limit maxComputeSteps.",
    }],
  };
}
