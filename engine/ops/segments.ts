import {
  mergeRunsKernel,
  RUN_LENGTH,
  segmentStartsKernel,
  sortRunsKernel,
} from "../kernels/sort_ids.ts";
import type { Tensor } from "../tensor.ts";
import { loopWorkgroup } from "./loop_workgroup.ts";

/** Positions of a list of ids, grouped by id. */
export interface Segments {
  /** [T, 2] u32: (id, position), sorted by id, then by position. */
  readonly pairs: Tensor;
  /** [rows + 1] u32: where each id's pairs begin. */
  readonly starts: Tensor;
}

/**
 * Groups the positions of equal ids on the GPU by a stable merge sort, so that sums over each group have a fixed order without float
 * atomics. Takes O(T log T) work in O(log T) dispatches, whatever the number of rows.
 *
 * @param ids i32 of any shape, clamped to [0, rows).
 * @param rows Number of possible ids.
 */
export function segmentsOf(ids: Tensor, rows: number): Segments {
  const gpu = ids.gpu;
  const count = ids.size;
  const workgroup = loopWorkgroup(gpu);
  let pairs = gpu.empty([count, 2], "u32", "workspace");
  if (count > 0) gpu.run(sortRunsKernel(count, rows, workgroup), [ids, pairs]);
  for (let length = RUN_LENGTH; length < count; length *= 2) {
    const merged = gpu.empty([count, 2], "u32", "workspace");
    gpu.run(mergeRunsKernel(count, length, workgroup), [pairs, merged]);
    pairs.dispose();
    pairs = merged;
  }
  const starts = gpu.empty([rows + 1], "u32", "workspace");
  gpu.run(segmentStartsKernel(count, rows, workgroup), [pairs, starts]);
  return { pairs, starts };
}
