import { vectorsPerRow } from "./kernels_problem.ts";

/**
 * How the fused kernels split the work.
 *
 * - `direct`: `rows` query (or key) rows per thread in registers, 8 threads, no workgroup memory. For software adapters, where a
 *   load costs as much as dozens of multiply-adds.
 * - `staged`: `rows` query rows per workgroup, four threads per row, the other operand's tiles in workgroup memory. For GPUs.
 */
export interface AttentionVariant {
  readonly family: "direct" | "staged";
  readonly rows: number;
}

/** Threads of a `direct` workgroup. */
export const DIRECT_THREADS = 8;
/** Threads that share a row of a `staged` workgroup: each takes every fourth key of a tile. */
export const STAGED_SPLITS = 4;
/** Workgroup memory of `staged`, in vec4: 16 KiB, what WebGPU guarantees. */
export const STAGED_VECTORS = 1024;

/** Rows per thread x width that fill the registers without spilling; measured on llvmpipe. */
const REGISTER_FLOATS = 128;

/** `direct-4`: the name of a variant in keys and reports. */
export function variantName({ family, rows }: AttentionVariant): string {
  return `${family}-${rows}`;
}

/**
 * Rows per thread of `direct`: 4 up to d = 32, 2 up to 64, else 1. Twice as many run up to 1.5 times as fast on llvmpipe at d = 64 but
 * take two to three times as long to compile.
 */
export function directRows(d: number): number {
  const rows = REGISTER_FLOATS / (vectorsPerRow(d) * 4);
  return rows >= 4 ? 4 : rows >= 2 ? 2 : 1;
}
