import type { Cell, Comparison } from "../../harness/contract.ts";
import { growthFit } from "../../harness/statistics/mod.ts";
import { distinct, metricOf, where } from "../encoder_training/rows.ts";
import { medianNs } from "../leap/rows.ts";
import type { LsgConfig } from "./config.ts";
import { lengthOf, rowsByLength } from "./rows.ts";
import { SCALING_PHASE, SELECTION_PHASE } from "./scaling.ts";

type Derived = Extract<Comparison, { kind: "derived" }>;

const PARTS = ["attention", "encoder"] as const;

/** Growth exponents, crossover lengths, longest lengths that fit and shares of the selection. */
export function growth(cells: readonly Cell[], config: LsgConfig): Comparison[] {
  return [
    ...PARTS.flatMap((part) => {
      const all = rowsByLength(cells, `scaling-${part}`);
      return distinct(all.map((row) => row.variant)).flatMap((variant) => {
        const rows = where(all, {}, variant);
        return [
          ...exponents(part, variant, rows),
          ...(variant === "full" ? [] : crossover(part, variant, rows, where(all, {}, "full"))),
          ...(config.scaling ? longest(part, variant, rows, config.scaling.memoryBudgetMiB) : []),
        ];
      });
    }),
    ...selectionShares(cells),
  ];
}

/** Exponents over the lengths at which a variant really is what its label says: LSG attends short texts in full. */
function exponents(part: string, variant: string, rows: readonly Cell[]): Comparison[] {
  const own = sparseRows(variant, rows);
  const points = (y: (row: Cell) => number | undefined) =>
    own.map((row) => [lengthOf(row), y(row)] as const);
  const common = { variant, x: "T" };
  return [
    ...growthFit({
      ...{ ...common, metric: `${part} time`, id: `growth-time-${part}-${variant}` },
      points: points((row) => medianNs(row, SCALING_PHASE)),
    }),
    ...growthFit({
      ...{ ...common, metric: `${part} peak bytes`, id: `growth-peak-${part}-${variant}` },
      points: points((row) => row.memoryBytes?.peak),
    }),
  ];
}

function sparseRows(variant: string, rows: readonly Cell[]): Cell[] {
  return variant.startsWith("full")
    ? [...rows]
    : rows.filter((row) => row.implementation?.label !== "dense");
}

/** Shortest measured length from which a variant is faster than fused full attention at every longer one too. */
function crossover(
  part: string,
  variant: string,
  rows: readonly Cell[],
  full: readonly Cell[],
): Derived[] {
  const pairs = rows.flatMap((row) => {
    const base = full.find((other) => lengthOf(other) === lengthOf(row));
    const [a, b] = [base && medianNs(base, SCALING_PHASE), medianNs(row, SCALING_PHASE)];
    return a && b ? [{ T: lengthOf(row), faster: b < a }] : [];
  }).sort((a, b) => b.T - a.T);
  if (pairs.length === 0) return [];
  const lost = pairs.findIndex((pair) => !pair.faster);
  const winning = lost < 0 ? pairs : pairs.slice(0, lost);
  return [{
    ...{ kind: "derived", id: `crossover-${part}-${variant}`, unit: "tokens", interval: null },
    name: `${variant}: shortest T from which it is faster than full (${part})`,
    value: winning.at(-1)?.T ?? null,
    detail: `medians of ${pairs.length} lengths up to ${pairs[0].T}; empty where it never is`,
    formulaVersion: 1,
  }];
}

/**
 * Longest length whose peak fits the budget: a line through the two longest measured peaks, a parabola through the three longest for
 * forms with T x T scores. An encoder's weights, gradients and moments are counted in.
 */
function longest(
  part: string,
  variant: string,
  rows: readonly Cell[],
  budgetMiB: number,
): Derived[] {
  const quadratic = variant.endsWith("-naive");
  const points = sparseRows(variant, rows)
    .flatMap((row) =>
      row.memoryBytes
        ? [[lengthOf(row), row.memoryBytes.peak + (metricOf(row, "weight-bytes") ?? 0)] as const]
        : []
    ).slice(quadratic ? -3 : -2);
  if (points.length < (quadratic ? 3 : 2)) return [];
  const weights = metricOf(rows.at(-1)!, "weight-bytes") !== undefined;
  const peak = interpolate(points);
  const budget = budgetMiB * 2 ** 20;
  let T = 0;
  for (let step = 2 ** 40; step >= 1; step /= 2) if (peak(T + step) <= budget) T += step;
  return [{
    ...{ kind: "derived", id: `longest-${part}-${variant}`, unit: "tokens", interval: null },
    name: `${variant}: longest T whose peak fits ${budgetMiB} MiB (${part})`,
    value: T > 0 ? T : null,
    detail: `${quadratic ? "parabola" : "line"} through the peak bytes at ${
      points.map(([t]) => t).join(", ")
    }` + (weights ? ", with weights, gradients and moments" : ""),
    formulaVersion: 1,
  }];
}

/** Polynomial through all points (Lagrange). */
function interpolate(points: readonly (readonly [number, number])[]): (x: number) => number {
  return (x) =>
    points.reduce((sum, [xi, yi], i) =>
      sum +
      yi * points.reduce((p, [xj], j) => j === i ? p : p * (x - xj) / (xi - xj), 1), 0);
}

/** Time of choosing the sparse keys as a share of the whole attention, from one interleaved measurement. */
function selectionShares(cells: readonly Cell[]): Derived[] {
  const attention = rowsByLength(cells, "scaling-attention");
  return rowsByLength(cells, "selection").flatMap((row): Derived[] => {
    const T = lengthOf(row);
    const whole = where(attention, { T }, row.variant)[0];
    const [part, all] = [
      medianNs(row, SELECTION_PHASE),
      whole && medianNs(whole, SCALING_PHASE),
    ];
    if (!part || !all) return [];
    return [{
      ...{ kind: "derived", id: `selection-${row.variant}-${T}`, unit: "1", interval: null },
      name: `${row.variant}: share of the selection in the attention at T ${T}`,
      value: part / all,
      detail: "medians; the choice is forward work, the attention forward and backward",
      formulaVersion: 1,
    }];
  });
}
