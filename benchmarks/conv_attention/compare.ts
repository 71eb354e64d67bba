import type { Cell, Comparison } from "../../harness/contract.ts";
import { pairTimings } from "../../harness/pair_timings.ts";
import { comparePairs, mean, meanInterval, type PairInput } from "../../harness/statistics/mod.ts";
import { metricOf, rowsOf, timingOf, variantsOf } from "../leap/rows.ts";
import type { ConvAttentionBenchConfig } from "./config.ts";

/** Loss difference, in nats per token, that counts as none; declared before any run. */
export const LOSS_MARGIN = 0.05;

/** Parts of the test: all targets, those that stand in the input, and those that do not. */
export const TEST_PARTS = ["test", "test-seen", "test-unseen"] as const;

/** Pairs of variants whose losses are about the same targets: baseline, candidate and what is equal. */
export const LOSS_PAIRS = [
  ["gpt2_horizon", "conv_attention", "context, data and steps"],
  ["gpt2_horizon", "conv_attention_causal", "context, data and steps"],
  ["gpt2_equal_parameters", "conv_attention", "context, data, steps and parameters"],
  ["gpt2_equal_parameters", "conv_attention_causal", "context, data, steps and parameters"],
  ["gpt2_equal_compute", "conv_attention", "context, data and training compute"],
  ["gpt2_equal_compute", "conv_attention_causal", "context, data and training compute"],
  ["gpt2", "progressive_diverging", "context, data, steps, depth"],
  ["progressive_no_lora", "progressive_diverging", "everything but LoRA"],
  ["gpt2", "progressive_no_lora", "context, data, steps, depth and parameters"],
] as const;

/** Everything derived from the rows. */
export function compareConvAttention(
  cells: readonly Cell[],
  _config: ConvAttentionBenchConfig,
): Comparison[] {
  return [
    ...comparePairs([...lossPairs(cells), ...speedPairs(cells)]),
    ...leakFigures(cells),
  ];
}

/** Losses of a variant by seed on one part of the test. */
function lossesOf(cells: readonly Cell[], variant: string, part: string): Map<number, number> {
  return new Map(
    rowsOf(cells, "train").filter((row) => row.variant === variant).flatMap((row) => {
      const loss = metricOf(row, "loss", part);
      return loss === undefined ? [] : [[Number(row.params.seed), loss] as const];
    }),
  );
}

/** Losses of two variants, paired by seed: both saw the same batches in the same order. */
function pairedLosses(
  cells: readonly Cell[],
  baseline: string,
  candidate: string,
  part: string,
): [number, number][] {
  const base = lossesOf(cells, baseline, part);
  return [...lossesOf(cells, candidate, part)].flatMap(([seed, loss]) => {
    const other = base.get(seed);
    return other === undefined ? [] : [[other, loss] as [number, number]];
  });
}

function lossPairs(cells: readonly Cell[]): PairInput[] {
  return LOSS_PAIRS.flatMap(([baseline, candidate]) =>
    TEST_PARTS.flatMap((part): PairInput[] => {
      const pairs = pairedLosses(cells, baseline, candidate, part);
      if (pairs.length === 0) return [];
      return [{
        id: `loss-${part}-${candidate}-${baseline}`,
        metric: `loss (${part})`,
        baseline: { variant: baseline, params: {} },
        candidate: { variant: candidate, params: {} },
        baselineValues: pairs.map(([a]) => a),
        candidateValues: pairs.map(([, b]) => b),
        scale: "difference",
        better: "lower",
        margin: LOSS_MARGIN,
      }];
    })
  );
}

/** Times against GPT-2 of the same context; a progressive model in its last stage. */
function speedPairs(cells: readonly Cell[]): PairInput[] {
  const rows = rowsOf(cells, "speed").filter((row) => (row.params.stage ?? 3) === 3);
  return rows.filter((row) => !row.variant.startsWith("gpt2")).flatMap((row) => {
    const base = rows.find((other) =>
      ["gpt2", "gpt2_horizon"].includes(other.variant) && other.params.T === row.params.T
    );
    return ["training batch", "inference"].flatMap((phase): PairInput[] => {
      const [a, b] = [base && timingOf(base, phase), timingOf(row, phase)];
      if (!base || !a || !b) return [];
      const [baselineValues, candidateValues] = pairTimings(a, b);
      return [{
        id: `${phase.replaceAll(" ", "-")}-${row.variant}-${base.variant}`,
        metric: phase,
        baseline: { variant: base.variant, params: base.params },
        candidate: { variant: row.variant, params: row.params },
        baselineValues,
        candidateValues,
        scale: "ratio",
        better: "lower",
      }];
    });
  });
}

/**
 * How much of the published form's advantage is leakage. The advantage on all targets, less the advantage on targets that are not in the input, is
 * what only the answer in the input can explain.
 */
function leakFigures(cells: readonly Cell[]): Comparison[] {
  const advantage = (part: string, candidate: string) =>
    pairedLosses(cells, "gpt2_horizon", candidate, part).map(([base, loss]) => base - loss);
  const pooled = advantage("test", "conv_attention");
  const unseen = advantage("test-unseen", "conv_attention");
  const derived = (
    id: string,
    name: string,
    values: readonly number[],
    unit: string,
    detail: string,
  ): Comparison => ({
    kind: "derived",
    id,
    name,
    unit,
    value: values.length > 0 && values.every(Number.isFinite) ? mean(values) : null,
    interval: meanInterval(values),
    detail,
    formulaVersion: 1,
  });
  const share = pooled.length > 0 && mean(pooled) > 0
    ? [(mean(pooled) - mean(unseen)) / mean(pooled)]
    : [];
  const gap = variantsOf(rowsOf(cells, "train")).flatMap((variant): Comparison[] => {
    const pairs = [...lossesOf(cells, variant, "test-unseen")].flatMap(([seed, loss]) => {
      const seen = lossesOf(cells, variant, "test-seen").get(seed);
      return seen === undefined ? [] : [loss - seen];
    });
    if (pairs.length === 0) return [];
    return [derived(
      `unseen-less-seen-${variant}`,
      `${variant}: loss on unseen less loss on seen targets`,
      pairs,
      "nats/token",
      "near 0 for a model that does not look its targets up",
    )];
  });
  return [
    derived(
      "advantage-pooled",
      "conv_attention: advantage over gpt2_horizon on all test targets",
      pooled,
      "nats/token",
      "mean over seeds of the difference of test losses",
    ),
    derived(
      "advantage-unseen",
      "conv_attention: advantage over gpt2_horizon on unseen targets",
      unseen,
      "nats/token",
      "the last horizon positions of each block",
    ),
    derived(
      "leak-share",
      "share of conv_attention's advantage that is target leakage",
      share,
      "1",
      "(advantage on all targets - advantage on unseen targets) / advantage on all targets; empty where there is no advantage",
    ),
    derived(
      "advantage-causal",
      "conv_attention_causal: advantage over gpt2_horizon on unseen targets",
      advantage("test-unseen", "conv_attention_causal"),
      "nats/token",
      "negative: the causal form is worse",
    ),
    derived(
      "advantage-causal-pooled",
      "conv_attention_causal: advantage over gpt2_horizon on all test targets",
      advantage("test", "conv_attention_causal"),
      "nats/token",
      "negative: the causal form is worse",
    ),
    ...gap,
  ];
}
