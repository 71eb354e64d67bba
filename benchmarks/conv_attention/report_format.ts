import type { Cell, Comparison } from "../../harness/contract.ts";
import { mean, meanInterval } from "../../harness/statistics/mod.ts";
import { metricOf } from "../leap/rows.ts";

/** Comparisons of two variants. */
export function pairsOf(
  comparisons: readonly Comparison[],
): Extract<Comparison, { kind: "pair" }>[] {
  return comparisons.filter((c) => c.kind === "pair");
}

/** Mean of a metric over rows with its interval; null where no row has it. */
export function spread(
  rows: readonly Cell[],
  metric: string,
  split: string | null,
  digits: number,
): string | null {
  const values = rows.map((row) => metricOf(row, metric, split)).filter((v) => v !== undefined);
  if (values.length === 0) return null;
  return `${mean(values).toFixed(digits)}${interval(meanInterval(values), digits)}`;
}

/** ` [low, high]`, or nothing. */
export function interval(value: { low: number; high: number } | null, digits: number): string {
  return value ? ` [${value.low.toFixed(digits)}, ${value.high.toFixed(digits)}]` : "";
}

/** A number with its sign. */
export function signed(value: number | null, digits = 3): string {
  return value === null || !Number.isFinite(value)
    ? "–"
    : `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;
}

/** Mean of a curve over rows, thinned to about `most` points by averaging neighbours. */
export function meanCurve(
  rows: readonly Cell[],
  name: string,
  most = 120,
): { x: number; y: number; low: number; high: number }[] {
  const curves = rows.flatMap((row) => row.curves.filter((c) => c.name === name));
  const byStep = new Map<number, number[]>();
  for (const { points } of curves) {
    for (const [x, y] of points) if (y !== null) byStep.set(x, [...byStep.get(x) ?? [], y]);
  }
  const all = [...byStep].map(([x, ys]) => ({
    x,
    y: mean(ys),
    low: Math.min(...ys),
    high: Math.max(...ys),
  }));
  const bin = Math.max(1, Math.ceil(all.length / most));
  return Array.from({ length: Math.ceil(all.length / bin) }, (_, i) => {
    const part = all.slice(i * bin, (i + 1) * bin);
    const average = (key: "x" | "y" | "low" | "high") => mean(part.map((point) => point[key]));
    return { x: average("x"), y: average("y"), low: average("low"), high: average("high") };
  });
}
