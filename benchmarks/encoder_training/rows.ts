import type { Cell } from "../../harness/contract.ts";
import { mean, meanInterval } from "../../harness/statistics/mod.ts";

/** Usable rows of one part of the benchmark. */
export function partOf(cells: readonly Cell[], part: string): Cell[] {
  return cells.filter((cell) => cell.params.part === part && cell.status === "ok");
}

/** Rows whose parameters have these values. */
export function where(cells: readonly Cell[], params: Cell["params"], variant?: string): Cell[] {
  return cells.filter((cell) =>
    (variant === undefined || cell.variant === variant) &&
    Object.entries(params).every(([key, value]) => cell.params[key] === value)
  );
}

/** Distinct values in order of appearance. */
export function distinct<T>(values: Iterable<T>): T[] {
  return [...new Set(values)];
}

/** Value of a metric; undefined where it is missing or failed. */
export function metricOf(cell: Cell, metric: string): number | undefined {
  return cell.metrics.find((m) => m.metric === metric)?.value ?? undefined;
}

/** Values of a metric over rows, the failed ones left out. */
export function valuesOf(cells: readonly Cell[], metric: string): number[] {
  return cells.map((cell) => metricOf(cell, metric)).filter((value) => value !== undefined);
}

/** Mean over rows with its interval over seeds; null without a value. */
export function summary(
  cells: readonly Cell[],
  metric: string,
): { mean: number; low: number | null; high: number | null; n: number } | null {
  const values = valuesOf(cells, metric);
  if (values.length === 0) return null;
  const interval = meanInterval(values);
  return {
    mean: mean(values),
    low: interval?.low ?? null,
    high: interval?.high ?? null,
    n: values.length,
  };
}

/** Share of the seeds that got each document right, by document; undefined where no row tells. */
export function correctByDocument(cells: readonly Cell[]): number[] | undefined {
  return meanCurve(cells, "correct");
}

/** A curve averaged over rows, point by point; undefined unless all have it in the same length. */
export function meanCurve(cells: readonly Cell[], name: string): number[] | undefined {
  const curves = cells.flatMap((cell) => cell.curves.filter((curve) => curve.name === name));
  if (curves.length === 0 || curves.some((c) => c.points.length !== curves[0].points.length)) {
    return undefined;
  }
  return curves[0].points.map((_, i) => mean(curves.map(({ points }) => points[i][1] ?? NaN)));
}
