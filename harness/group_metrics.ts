import type { Interval } from "./schema/_base.ts";
import type { Cell, Metric } from "./schema/cell.ts";
import { mean, meanInterval } from "./statistics/mod.ts";

/** A metric of one variant at one point, over seeds. */
export interface MetricGroup {
  readonly variant: string;
  /** Parameters without `seed`. */
  readonly params: Cell["params"];
  readonly metric: string;
  readonly unit: string;
  readonly split: string | null;
  readonly better: Metric["better"];
  /** Values with their seeds, in the order recorded. */
  readonly values: readonly { readonly seed: number | null; readonly value: number }[];
  readonly estimate: number;
  /** Over seeds where there are two or more, else the row's own; null where neither exists. */
  readonly interval: Interval | null;
}

/** Gathers the metrics of usable rows over seeds. Rows that are not ok and null values stay out. */
export function groupMetrics(cells: readonly Cell[]): MetricGroup[] {
  const groups = new Map<string, { cell: Cell; metric: Metric; values: MetricGroup["values"] }>();
  for (const cell of cells) {
    if (cell.status !== "ok") continue;
    const { seed: ofCell, ...params } = cell.params;
    for (const metric of cell.metrics) {
      if (metric.value === null) continue;
      const key = JSON.stringify([
        cell.variant,
        Object.entries(params).sort(),
        metric.metric,
        metric.unit,
        metric.split,
      ]);
      const seed = metric.seed ?? (typeof ofCell === "number" ? ofCell : null);
      const known = groups.get(key);
      groups.set(key, {
        cell: known?.cell ?? { ...cell, params },
        metric: known?.metric ?? metric,
        values: [...known?.values ?? [], { seed, value: metric.value }],
      });
    }
  }
  return [...groups.values()].map(({ cell, metric, values }) => {
    const numbers = values.map((item) => item.value);
    return {
      variant: cell.variant,
      params: cell.params,
      metric: metric.metric,
      unit: metric.unit,
      split: metric.split,
      better: metric.better,
      values,
      estimate: mean(numbers),
      interval: meanInterval(numbers) ?? metric.interval,
    };
  });
}
