import type { Gpu } from "../gpu.ts";

/**
 * Workgroup size of kernels whose threads loop. Software adapters run one workgroup per core as one wide vector, where small is
 * fastest; GPUs need at least a full subgroup.
 */
export function loopWorkgroup(gpu: Gpu): number {
  return gpu.info.class === "hardware" ? 64 : 8;
}
