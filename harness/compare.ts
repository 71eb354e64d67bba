/** Compares result files: same rows side by side, and a reason for every row that is not. */
import {
  compareCosts,
  type ComparedRow,
  compareQuality,
  QUALITY_EQUIVALENCE_FACTOR,
  type SkippedRow,
  TIME_EQUIVALENCE_FACTOR,
} from "./compare/compare_cells.ts";
import { incomparableRuns, incomparableTimes } from "./compare/incomparable.ts";
import { formatBytes, formatDuration, formatNumber, formatParams } from "./report/format_value.ts";
import { markdownTable } from "./report/markdown_table.ts";
import type { RunResult } from "./result_schema.ts";
import { UserError } from "./user_error.ts";

export { changedKeys } from "./compare/incomparable.ts";
export type { ComparedRow, SkippedRow } from "./compare/compare_cells.ts";

/** One result against the baseline. */
export interface ResultComparison {
  readonly baseline: RunResult;
  readonly candidate: RunResult;
  /** Why nothing was compared; null where rows follow. */
  readonly refused: string | null;
  readonly rows: readonly ComparedRow[];
  readonly skipped: readonly SkippedRow[];
}

/**
 * Compares each result with the first. Never ranks hardware with software adapters, other presets,
 * other configurations or other versions of a method; says so instead.
 *
 * @throws UserError for fewer than two results.
 */
export function compareResults(results: readonly RunResult[]): ResultComparison[] {
  const [baseline, ...candidates] = results;
  if (!baseline || candidates.length === 0) {
    throw new UserError(`Cannot compare: ${results.length} result given, expected two or more`);
  }
  return candidates.map((candidate) => {
    const refused = incomparableRuns(baseline, candidate);
    if (refused !== null) return { baseline, candidate, refused, rows: [], skipped: [] };
    const timeReason = incomparableTimes(baseline, candidate);
    const costs = compareCosts(baseline.cells, candidate.cells, timeReason);
    const quality = compareQuality(baseline.cells, candidate.cells);
    return {
      baseline,
      candidate,
      refused,
      rows: [...quality.rows, ...costs.rows],
      skipped: [...quality.skipped, ...costs.skipped],
    };
  });
}

/** True where any row got worse: what a regression check asks. */
export function hasRegression(comparisons: readonly ResultComparison[]): boolean {
  return comparisons.some(({ rows }) => rows.some((row) => row.verdict === "worse"));
}

/** The comparison as Markdown. */
export function renderComparison(comparisons: readonly ResultComparison[]): string {
  const blocks: string[] = ["# Comparison"];
  for (const { baseline, candidate, refused, rows, skipped } of comparisons) {
    const name = (result: RunResult) => {
      const { accelerator } = result.system;
      return `\`${result.runId}\` (${accelerator.description || accelerator.device}, ` +
        `${accelerator.class}, suite ${result.suite.version})`;
    };
    blocks.push(`## ${candidate.benchmark.title}`, `Baseline: ${name(baseline)}`);
    blocks.push(`Candidate: ${name(candidate)}`);
    if (refused !== null) {
      blocks.push(`**Not comparable**: ${refused}.`);
      continue;
    }
    if (rows.length > 0) blocks.push(rowsTable(rows));
    if (skipped.length > 0) {
      blocks.push(
        "Not compared:",
        markdownTable(
          [{ name: "figure" }, { name: "variant" }, { name: "point" }, { name: "why" }],
          skipped.map((row) => [row.figure, row.variant, formatParams(row.params), row.reason]),
        ),
      );
    }
  }
  const percent = (factor: number) => `${formatNumber((factor - 1) * 100, 2)} %`;
  blocks.push(
    "Ratio: candidate / baseline with a 95 % bootstrap interval. Equivalent: the interval lies " +
      `within ${percent(TIME_EQUIVALENCE_FACTOR)} for times and ` +
      `${percent(QUALITY_EQUIVALENCE_FACTOR)} for figures of quality. Inconclusive is not equal.`,
  );
  return blocks.join("\n\n") + "\n";
}

function rowsTable(rows: readonly ComparedRow[]): string {
  const show = (row: ComparedRow, value: number) =>
    row.kind === "time"
      ? formatDuration(value)
      : row.kind === "memory"
      ? formatBytes(value)
      : formatNumber(value);
  return markdownTable(
    [
      { name: "figure" },
      { name: "variant" },
      { name: "point" },
      { name: "baseline", align: "right" },
      { name: "candidate", align: "right" },
      { name: "ratio", align: "right" },
      { name: "95 % interval", align: "right" },
      { name: "verdict" },
    ],
    rows.map((row) => [
      row.figure,
      row.variant,
      formatParams(row.params),
      show(row, row.baseline),
      show(row, row.candidate),
      formatNumber(row.ratio),
      row.interval === null
        ? "-"
        : `${formatNumber(row.interval.low)} to ${formatNumber(row.interval.high)}`,
      row.verdict,
    ]),
  );
}
