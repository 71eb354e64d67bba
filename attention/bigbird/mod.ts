/**
 * BigBird attention: a window of blocks, random blocks and globals (Zaheer et al. 2020), truly sparse and dense-masked. See README.md.
 *
 * @module
 */
export {
  type BigBirdAttentionOptions,
  fusedBigBirdAttention,
  type FusedBigBirdOptions,
  naiveBigBirdAttention,
} from "./attention.ts";
export { bigBirdFlops, type BigBirdFlopsOptions } from "./flops.ts";
export { type BigBirdPattern, checkBigBirdPattern } from "./pattern.ts";
export { type RandomBlocks, randomBlocks } from "./random_blocks.ts";
