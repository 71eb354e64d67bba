import { groupMetrics, type MetricGroup } from "../group_metrics.ts";
import type { Interval } from "../schema/_base.ts";
import type { Cell, Timing } from "../schema/cell.ts";
import type { Verdict } from "../schema/comparison.ts";
import {
  equivalenceTest,
  mean,
  median,
  pairedBootstrap,
  pairedEffects,
  twoSampleBootstrap,
} from "../statistics/mod.ts";

/** Times within this factor of each other count as equivalent, if the interval says so. */
export const TIME_EQUIVALENCE_FACTOR = 1.05;
/** The same for figures of quality. */
export const QUALITY_EQUIVALENCE_FACTOR = 1.02;

/** One figure in two results. */
export interface ComparedRow {
  readonly kind: "time" | "memory" | "quality";
  /** Timed phase, metric name (with split) or `peak memory`. */
  readonly figure: string;
  readonly variant: string;
  readonly params: Cell["params"];
  readonly unit: string;
  readonly baseline: number;
  readonly candidate: number;
  /** candidate / baseline; null where the baseline is 0. */
  readonly ratio: number | null;
  readonly interval: Interval | null;
  readonly better: "lower" | "higher" | "neither";
  readonly verdict: Verdict;
}

/** A figure that was not compared, and why. */
export interface SkippedRow {
  readonly figure: string;
  readonly variant: string;
  readonly params: Cell["params"];
  readonly reason: string;
}

export interface CellComparison {
  readonly rows: ComparedRow[];
  readonly skipped: SkippedRow[];
}

/** The task is part of the key: training and timing may both record the same variant and point. */
const pointOf = (cell: Cell) =>
  JSON.stringify([cell.task, cell.variant, Object.entries(cell.params).sort()]);

/**
 * Compares timings and memory of rows with the same variant and parameters.
 *
 * @param timeReason Why times may not be compared; null where they may.
 */
export function compareCosts(
  baseline: readonly Cell[],
  candidate: readonly Cell[],
  timeReason: string | null,
): CellComparison {
  const rows: ComparedRow[] = [];
  const skipped: SkippedRow[] = [];
  const costly = (cell: Cell) => cell.timings.length > 0 || cell.memoryBytes !== null;
  const others = new Map(candidate.filter(costly).map((cell) => [pointOf(cell), cell]));
  for (const cell of baseline.filter(costly)) {
    const { variant, params } = cell;
    const other = others.get(pointOf(cell));
    others.delete(pointOf(cell));
    const skip = (figure: string, reason: string) =>
      skipped.push({ figure, variant, params, reason });
    if (!other) {
      skip("row", "only in the baseline");
      continue;
    }
    const bad = [cell, other].find((item) => item.status !== "ok");
    if (bad) {
      const why = bad.reasons.map((reason) => reason.code).join(", ");
      skip("row", `${bad === cell ? "baseline" : "candidate"} is ${bad.status} (${why})`);
      continue;
    }
    for (const timing of cell.timings) {
      const match = other.timings.find((item) => item.phase === timing.phase);
      const reason = timeReason ?? unlike(timing, match);
      if (reason !== null) skip(timing.phase, reason);
      else rows.push({ ...timeRow(timing, match as Timing), variant, params });
    }
    if (cell.memoryBytes && other.memoryBytes) {
      const [a, b] = [cell.memoryBytes.peak, other.memoryBytes.peak];
      rows.push({
        kind: "memory",
        figure: "peak memory",
        variant,
        params,
        unit: "bytes",
        baseline: a,
        candidate: b,
        ratio: a === 0 ? null : b / a,
        interval: null,
        better: "lower",
        // The ledger is exact, so any change is real.
        verdict: a === b ? "equivalent" : b < a ? "better" : "worse",
      });
    }
  }
  for (const cell of others.values()) {
    const { variant, params } = cell;
    skipped.push({ figure: "row", variant, params, reason: "only in the candidate" });
  }
  return { rows, skipped };
}

/** Compares figures of quality; seeds are paired where both results have them. */
export function compareQuality(
  baseline: readonly Cell[],
  candidate: readonly Cell[],
): CellComparison {
  const rows: ComparedRow[] = [];
  const skipped: SkippedRow[] = [];
  const keyOf = (group: MetricGroup) =>
    JSON.stringify([group.variant, Object.entries(group.params).sort(), group.metric, group.split]);
  const others = new Map(groupMetrics(candidate).map((group) => [keyOf(group), group]));
  for (const group of groupMetrics(baseline)) {
    const { variant, params } = group;
    const figure = group.split === null ? group.metric : `${group.metric} (${group.split})`;
    const other = others.get(keyOf(group));
    others.delete(keyOf(group));
    if (!other) skipped.push({ figure, variant, params, reason: "only in the baseline" });
    else if (other.unit !== group.unit) {
      const reason = `units differ: ${group.unit} and ${other.unit}`;
      skipped.push({ figure, variant, params, reason });
    } else rows.push({ ...qualityRow(group, other), figure, variant, params });
  }
  for (const group of others.values()) {
    const { variant, params, metric: figure } = group;
    skipped.push({ figure, variant, params, reason: "only in the candidate" });
  }
  return { rows, skipped };
}

function unlike(timing: Timing, match: Timing | undefined): string | null {
  if (!match) return "phase only in the baseline";
  if (timing.clock !== match.clock) return `clocks differ: ${timing.clock} and ${match.clock}`;
  if (timing.samplesNs.length === 0 || match.samplesNs.length === 0) return "no samples";
  const doubtful = [...timing.flags, ...match.flags].find((flag) => flag === "implausible");
  return doubtful ? `a timing is flagged ${doubtful}` : null;
}

function timeRow(a: Timing, b: Timing): Omit<ComparedRow, "variant" | "params"> {
  const single = (timing: Timing) => timing.samplesNs.map((ns) => ns / timing.number);
  const { estimate, interval } = twoSampleBootstrap(single(a), single(b), {
    statistic: median,
    scale: "ratio",
  });
  return {
    kind: "time",
    figure: a.phase,
    unit: "ns",
    baseline: median(single(a)),
    candidate: median(single(b)),
    ratio: Number.isFinite(estimate) ? estimate : null,
    interval: interval && Number.isFinite(interval.high) ? interval : null,
    better: "lower",
    verdict: verdictOf(interval, "lower", TIME_EQUIVALENCE_FACTOR),
  };
}

function qualityRow(
  a: MetricGroup,
  b: MetricGroup,
): Omit<ComparedRow, "variant" | "params" | "figure"> {
  const bySeed = new Map(b.values.map((item) => [item.seed, item.value]));
  const paired = a.values.filter((item) => item.seed !== null && bySeed.has(item.seed));
  const left = paired.map((item) => item.value);
  const right = paired.map((item) => bySeed.get(item.seed) as number);
  const positive = [...a.values, ...b.values].every((item) => item.value > 0);
  const common = {
    kind: "quality" as const,
    unit: a.unit,
    baseline: a.estimate,
    candidate: b.estimate,
    ratio: a.estimate === 0 ? null : b.estimate / a.estimate,
    better: a.better,
  };
  const everySeed = left.length === a.values.length && left.length === b.values.length;
  if (!positive || left.length < 2 || !everySeed) {
    const interval = positive
      ? twoSampleBootstrap(
        a.values.map((item) => item.value),
        b.values.map((item) => item.value),
        { statistic: mean, scale: "ratio" },
      ).interval
      : null;
    const same = a.values.length === 1 && a.estimate === b.estimate;
    return {
      ...common,
      interval,
      // One seed on each side: identical bits are a finding, any difference is not.
      verdict: same ? "equivalent" : verdictOf(interval, a.better, QUALITY_EQUIVALENCE_FACTOR),
    };
  }
  const result = pairedBootstrap(left, right, { scale: "ratio" });
  const test = equivalenceTest(
    pairedEffects(left, right, "ratio"),
    Math.log(QUALITY_EQUIVALENCE_FACTOR),
  );
  const verdict = test?.equivalent
    ? "equivalent"
    : verdictOf(result.interval, a.better, QUALITY_EQUIVALENCE_FACTOR);
  return { ...common, ratio: result.estimate, interval: result.interval, verdict };
}

/** Verdict from the interval of a ratio: inside the margin, wholly on one side of 1, or neither. */
function verdictOf(
  interval: Interval | null,
  better: ComparedRow["better"],
  factor: number,
): Verdict {
  if (interval === null) return "inconclusive";
  if (interval.low > 1 / factor && interval.high < factor) return "equivalent";
  if (better === "neither" || (interval.low <= 1 && interval.high >= 1)) return "inconclusive";
  return (interval.high < 1) === (better === "lower") ? "better" : "worse";
}
