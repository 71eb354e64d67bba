import type { Cell, Comparison, ReportInput } from "../../harness/contract.ts";
import { mean, meanInterval } from "../../harness/statistics/mod.ts";
import { medianNs, metricOf } from "./rows.ts";

export type Section = ReportInput["sections"][number];
export type Chart = NonNullable<Section["charts"]>[number];
export type Table = NonNullable<Section["tables"]>[number];
type Pair = Extract<Comparison, { kind: "pair" }>;
type Fit = Extract<Comparison, { kind: "fit" }>;

/** Paired comparisons. */
export function pairs(comparisons: readonly Comparison[]): Pair[] {
  return comparisons.filter((c) => c.kind === "pair");
}

/** Fitted laws. */
export function fits(comparisons: readonly Comparison[]): Fit[] {
  return comparisons.filter((c) => c.kind === "fit");
}

/** A fit as cells of a table: variant, metric, exponent, R squared, points. */
export function fitRow(c: Fit): (string | number | null)[] {
  return [
    c.variant,
    c.metric,
    c.exponent === null ? null : `${c.exponent.toFixed(3)}${interval(c.interval, 2)}`,
    c.rSquared === null ? null : c.rSquared.toFixed(3),
    c.n,
  ];
}

/** Median of a phase in milliseconds. */
export function milliseconds(row: Cell, phase: string): string | null {
  const ns = medianNs(row, phase);
  return ns === undefined ? null : (ns / 1e6).toPrecision(4);
}

/** Mean over the rows (seeds) with its interval. */
export function spread(
  rows: readonly Cell[],
  metric: string,
  split: string,
  digits: number,
): string | null {
  const values = rows.map((row) => metricOf(row, metric, split)).filter((v) => v !== undefined);
  if (values.length === 0) return null;
  return `${mean(values).toFixed(digits)}${interval(meanInterval(values), digits)}`;
}

/** An interval in brackets after a figure, or nothing. */
export function interval(value: { low: number; high: number } | null, digits: number): string {
  return value ? ` [${value.low.toFixed(digits)}, ${value.high.toFixed(digits)}]` : "";
}

/** With an explicit sign. */
export function signed(value: number | null, digits = 3): string {
  return value === null || !Number.isFinite(value)
    ? "–"
    : `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;
}
