import type { Cell, Comparison } from "../../harness/contract.ts";
import { pairTimings } from "../../harness/pair_timings.ts";
import { comparePairs, growthFit, mean, type PairInput } from "../../harness/statistics/mod.ts";
import type { LeapBenchConfig } from "./config.ts";
import { medianNs, metricOf, numberOf, rowsOf, timingOf, variantsOf } from "./rows.ts";

/** Loss difference, in nats per token, that counts as none; declared before any run. */
export const LOSS_MARGIN = 0.05;

/** Both baselines of every speed comparison: the source compared with the slow one only. */
const BASELINES = ["gpt2-fused", "gpt2-naive"] as const;

export const PHASES = ["forward", "forward+backward"] as const;

/** Everything derived from the rows: paired differences of quality and time, growth exponents, crossover lengths, scaling laws. */
export function compareLeap(cells: readonly Cell[], _config: LeapBenchConfig): Comparison[] {
  return [
    ...comparePairs([...qualityPairs(cells), ...speedPairs(cells)]),
    ...growthFits(cells),
    ...crossovers(cells),
    ...scalingFits(cells),
    ...faithfulness(cells),
  ];
}

/** Test loss against GPT-2, paired by seed: both saw the same batches. */
function qualityPairs(cells: readonly Cell[]): PairInput[] {
  const rows = rowsOf(cells, "train");
  const baseline = rows.filter((row) => row.variant === "gpt2");
  return variantsOf(rows).filter((v) => v !== "gpt2").flatMap((variant) =>
    ["test", "out_of_domain"].flatMap((split): PairInput[] => {
      const pairs = rows.filter((row) => row.variant === variant).flatMap((row) => {
        const other = baseline.find((b) => b.params.seed === row.params.seed);
        const values = [other && metricOf(other, "loss", split), metricOf(row, "loss", split)];
        return values.every((x) => x !== undefined) ? [values as [number, number]] : [];
      });
      if (pairs.length === 0) return [];
      return [{
        id: `loss-${split}-${variant}`,
        metric: `loss (${split})`,
        baseline: { variant: "gpt2", params: {} },
        candidate: { variant, params: {} },
        baselineValues: pairs.map(([a]) => a),
        candidateValues: pairs.map(([, b]) => b),
        scale: "difference",
        better: "lower",
        margin: LOSS_MARGIN,
      }];
    })
  );
}

/** Time against both forms of GPT-2 at every length, paired by block. */
function speedPairs(cells: readonly Cell[]): PairInput[] {
  const rows = rowsOf(cells, "speed");
  const inputs: PairInput[] = [];
  for (const row of rows.filter((r) => r.variant.startsWith("leap"))) {
    for (const name of BASELINES) {
      const base = rows.find((r) => r.variant === name && r.params.T === row.params.T);
      for (const phase of PHASES) {
        const [a, b] = [base && timingOf(base, phase), timingOf(row, phase)];
        if (!a || !b) continue;
        const [baselineValues, candidateValues] = pairTimings(a, b);
        inputs.push({
          id: `${phase}-${row.variant}-${name}-${row.params.T}`,
          metric: phase,
          baseline: { variant: name, params: { T: row.params.T } },
          candidate: { variant: row.variant, params: { T: row.params.T } },
          baselineValues,
          candidateValues,
          scale: "ratio",
          better: "lower",
        });
      }
    }
  }
  return inputs;
}

/** Growth of time and memory with T, and of the time per decoded token with the context. */
function growthFits(cells: readonly Cell[]): Comparison[] {
  const speed = rowsOf(cells, "speed");
  const decode = rowsOf(cells, "decode");
  const fits: Comparison[] = [];
  for (const variant of variantsOf(speed)) {
    const rows = speed.filter((row) => row.variant === variant);
    const T = (row: Cell) => numberOf(row, "T");
    for (const phase of PHASES) {
      fits.push(...fit(variant, phase, "T", rows, T, (row) => medianNs(row, phase)));
    }
    fits.push(...fit(variant, "peak bytes", "T", rows, T, (row) => row.memoryBytes?.peak));
  }
  for (const variant of variantsOf(decode)) {
    const rows = decode.filter((row) => row.variant === variant);
    const context = (row: Cell) => numberOf(row, "context");
    fits.push(
      ...fit(variant, "decode", "context", rows, context, (row) => medianNs(row, "decode")),
    );
  }
  return fits;
}

/** Shortest measured T from which LEAP is faster than fused GPT-2 at every longer one too. */
function crossovers(cells: readonly Cell[]): Comparison[] {
  const rows = rowsOf(cells, "speed");
  return variantsOf(rows).filter((v) => v.startsWith("leap")).flatMap((variant) =>
    PHASES.map((phase): Comparison => {
      const wins = rows.filter((row) => row.variant === variant).map((row) => {
        const base = rows.find((r) => r.variant === "gpt2-fused" && r.params.T === row.params.T);
        const [a, b] = [base && medianNs(base, phase), medianNs(row, phase)];
        return { T: numberOf(row, "T"), faster: a !== undefined && b !== undefined && b < a };
      }).sort((a, b) => b.T - a.T);
      const lost = wins.findIndex((w) => !w.faster);
      const winning = lost < 0 ? wins : wins.slice(0, lost);
      return {
        kind: "derived",
        id: `crossover-${phase}-${variant}`,
        name: `${variant}: shortest T from which it is faster than gpt2-fused (${phase})`,
        unit: "tokens",
        value: winning.at(-1)?.T ?? null,
        interval: null,
        detail: "medians, among the measured lengths; empty where it never is",
        formulaVersion: 1,
      };
    })
  );
}

/** loss = a N^-alpha and a C^-alpha over the trained sizes. */
function scalingFits(cells: readonly Cell[]): Comparison[] {
  const rows = rowsOf(cells, "scaling");
  return variantsOf(rows).flatMap((variant) => {
    const own = rows.filter((row) => row.variant === variant);
    const loss = (row: Cell) => metricOf(row, "loss", "test");
    return [
      ...fit(
        variant,
        "loss",
        "computing parameters",
        own,
        (row) => metricOf(row, "computing-parameters"),
        loss,
      ),
      ...fit(variant, "loss", "training FLOPs", own, (row) => row.cost?.flops ?? undefined, loss),
    ];
  });
}

/** Rise of the loss by masking the most important tokens, less the rise by masking as many random ones. */
function faithfulness(cells: readonly Cell[]): Comparison[] {
  const rows = rowsOf(cells, "explain").filter((row) => row.params.masked !== undefined);
  return variantsOf(rows).flatMap((variant) => {
    const own = rows.filter((row) => row.variant === variant);
    return [...new Set(own.map((row) => numberOf(row, "fraction")))].map((fraction): Comparison => {
      const change = (masked: string) =>
        mean(
          own.filter((row) => row.params.fraction === fraction && row.params.masked === masked)
            .map((row) => metricOf(row, "loss-change", "test") ?? NaN),
        );
      const value = change("top") - change("random");
      return {
        kind: "derived",
        id: `faithfulness-${variant}-${fraction}`,
        name: `${variant}: loss change by masking the top ${
          fraction * 100
        } %, less that of random masking`,
        unit: "nats/token",
        value: Number.isFinite(value) ? value : null,
        interval: null,
        detail: "above 0: the importances point at tokens the model uses",
        formulaVersion: 1,
      };
    });
  });
}

function fit(
  variant: string,
  metric: string,
  xName: string,
  rows: readonly Cell[],
  x: (row: Cell) => number | undefined,
  y: (row: Cell) => number | undefined,
): Comparison[] {
  return growthFit({ variant, metric, x: xName, points: rows.map((row) => [x(row), y(row)]) });
}
