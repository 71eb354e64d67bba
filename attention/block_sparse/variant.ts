import type { AdapterInfo } from "../../engine/mod.ts";
import { directRows } from "../softmax/variants.ts";

/** How the block-sparse kernels split the work: `rows` rows of registers per thread, `threads` threads of one workgroup. */
export interface SparseVariant {
  readonly threads: number;
  readonly rows: number;
}

/**
 * The variant for an adapter. Software adapters run a workgroup of 8 as one vector and want many rows per thread, but no more than a
 * block has; on GPUs a subgroup shares every load and one row per thread leaves room for more of them.
 */
export function sparseVariant(
  info: Pick<AdapterInfo, "class">,
  d: number,
  block: number,
): SparseVariant {
  if (info.class === "hardware") return { threads: 32, rows: 1 };
  const threads = 8;
  let rows = directRows(d);
  while (rows > 1 && rows * threads > block) rows /= 2;
  return { threads, rows };
}
