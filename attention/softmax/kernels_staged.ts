/** Pieces of the `staged` kernels: tiles in workgroup memory and the sum over the threads that share a row. */
import { range, vectorsPerRow } from "./kernels_problem.ts";
import { STAGED_SPLITS, STAGED_VECTORS } from "./variants.ts";

/** Longest tile; more rows would not be used by short sequences. */
const MAX_TILE_ROWS = 64;

/** Sizes of a staged workgroup. */
export interface StagedShape {
  /** vec4 per row. */
  readonly C: number;
  /** Rows of one tile; two tiles are held. */
  readonly tileRows: number;
  readonly threads: number;
}

/** Sizes for `rows` rows per workgroup. */
export function stagedShape(d: number, rows: number): StagedShape {
  const C = vectorsPerRow(d);
  const fit = Math.floor(STAGED_VECTORS / (2 * C) / STAGED_SPLITS) * STAGED_SPLITS;
  return { C, tileRows: Math.min(MAX_TILE_ROWS, fit), threads: rows * STAGED_SPLITS };
}

/** Declares the workgroup memory: two tiles, later reused to add up what the threads of a row hold. */
export function staging({ C, tileRows, threads }: StagedShape): string {
  return `var<workgroup> tile: array<vec4f, ${
    Math.max(2 * tileRows * C, threads * STAGED_SPLITS)
  }>;`;
}

/**
 * Fills both tiles with rows `start` .. of two operands (zeros from row `limit` on). A tile is stored column of vec4 by column, so
 * that the four threads of a row, which read four neighbouring rows, hit different banks.
 */
export function stageTile(
  { C, tileRows, threads }: StagedShape,
  limit: string,
  loads: readonly [string, string],
): string {
  const store = (load: string, part: number) =>
    `tile[(${part * C}u + c) * ${tileRows}u + t] = select(vec4f(), ${load}, inside);`;
  return `workgroupBarrier();
for (var n = lane; n < ${tileRows * C}u; n += ${threads}u) {
  let t = n / ${C}u;
  let c = n % ${C}u;
  let inside = start + t < ${limit};
  let j = min(start + t, ${limit} - 1u);
  ${store(loads[0], 0)}
  ${store(loads[1], 1)}
}
workgroupBarrier();`;
}

/**
 * Adds the C accumulators of the threads that share a row, in the order of the threads, and hands each sum to `store`. Columns go
 * in groups of STAGED_SPLITS, so that each thread of the row adds up one column. Needs `split` in scope.
 */
export function combineSplits(
  { C, threads }: StagedShape,
  accumulator: (c: number) => string,
  store: (c: string, sum: string) => string,
): string {
  const lines: string[] = [];
  for (let first = 0; first < C; first += STAGED_SPLITS) {
    const columns = range(Math.min(STAGED_SPLITS, C - first));
    lines.push(
      "workgroupBarrier();",
      ...columns.map((n) => `tile[${n * threads}u + lane] = ${accumulator(first + n)};`),
      "workgroupBarrier();",
      `if (split < ${columns.length}u) {
  let base = split * ${threads}u + lane - split;
  let sum = ${range(STAGED_SPLITS).map((n) => `tile[base + ${n}u]`).join(" + ")};
  ${store(`${first}u + split`, "sum")}
}`,
    );
  }
  return lines.join("\n");
}
