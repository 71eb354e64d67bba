import { sparseFlops } from "../block_sparse/flops.ts";
import type { AttentionFlops } from "../softmax/flops.ts";
import type { BigBirdPattern } from "./pattern.ts";
import { randomBlocks } from "./random_blocks.ts";

/** Sizes that decide the arithmetic of BigBird attention. */
export interface BigBirdFlopsOptions extends BigBirdPattern {
  readonly B: number;
  readonly H: number;
  /** Text tokens, without the globals. */
  readonly T: number;
  readonly d: number;
}

/** Multiply-adds, counted as two, of the visible pairs. */
export function bigBirdFlops(options: BigBirdFlopsOptions): AttentionFlops {
  const { B, H, T, d, globals, blockSize } = options;
  const blocks = Math.ceil(T / blockSize);
  const rows = (block: number) =>
    block < 0 ? 0 : Math.max(0, Math.min(T, (block + 1) * blockSize) - block * blockSize);
  let pairs = H * globals * (globals + T + T);
  for (const perBlock of randomBlocks(options, H, blocks)) {
    perBlock.forEach((others, block) => {
      const seen = [block - 1, block, block + 1, ...others];
      pairs += rows(block) * seen.reduce((sum, other) => sum + rows(other), 0);
    });
  }
  return sparseFlops(B * pairs, d);
}
