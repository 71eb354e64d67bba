import type { AttentionFlops } from "../softmax/flops.ts";

/** Operations of attention over so many visible pairs: 4 d forward, 14 d backward with recomputation, 8 d without. */
export function sparseFlops(pairs: number, d: number): AttentionFlops {
  return { forward: 4 * pairs * d, backward: 14 * pairs * d, backwardModel: 8 * pairs * d };
}
