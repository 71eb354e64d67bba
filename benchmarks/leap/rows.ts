import type { Cell, Timing } from "../../harness/contract.ts";

/** Rows that tasks of one kind recorded and that can be used. */
export function rowsOf(cells: readonly Cell[], kind: string): Cell[] {
  return cells.filter((cell) => cell.task.startsWith(`${kind}/`) && cell.status === "ok");
}

/** Variants in order of appearance. */
export function variantsOf(cells: readonly Cell[]): string[] {
  return [...new Set(cells.map((cell) => cell.variant))];
}

/** A number among a row's parameters. */
export function numberOf(cell: Cell, key: string): number {
  return Number(cell.params[key]);
}

/** Value of a metric; undefined where it is missing or failed. */
export function metricOf(
  cell: Cell,
  metric: string,
  split: string | null = null,
): number | undefined {
  return cell.metrics.find((m) => m.metric === metric && m.split === split)?.value ?? undefined;
}

/** Timing of a phase, if it has samples. */
export function timingOf(cell: Cell, phase: string): Timing | undefined {
  return cell.timings.find((timing) => timing.phase === phase && timing.stats !== null);
}

/** Median time of a phase in ns. */
export function medianNs(cell: Cell, phase: string): number | undefined {
  return timingOf(cell, phase)?.stats?.medianNs;
}
