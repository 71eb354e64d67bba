import { type BlockPattern, neighbourRanges, type SlotPattern } from "../block_sparse/pattern.ts";
import { type LsgPattern, selectionOf } from "./options.ts";

/** Local and global part of LSG as the kernels want it. */
export function lsgBlockPattern(
  { globals, blockSize, causal = false, maskFirstToken = false }: LsgPattern,
): BlockPattern {
  return {
    name: causal ? "lsg-causal" : "lsg",
    globals,
    block: blockSize,
    causal,
    hideFirst: maskFirstToken,
    uniforms: [],
    ...neighbourRanges(causal),
    pair: causal ? (i, j) => `${j} <= ${i}` : undefined,
  };
}

/** Sparse part for a text of `T` tokens; undefined when there is none. */
export function lsgSlotPattern(pattern: LsgPattern, T: number): SlotPattern | undefined {
  const selection = selectionOf(pattern);
  if (selection === "none") return undefined;
  const perBlock = pattern.blockSize / pattern.sparsityFactor;
  return {
    count: Math.ceil(T / pattern.blockSize) * perBlock,
    perBlock,
    reach: pattern.sparseBlockSize,
    right: pattern.parity?.oddRightOffset ? 0 : 2,
    bothSides: !pattern.causal,
    pooled: selection === "pooling" || selection === "bos_pooling" || selection === "lsh",
  };
}
