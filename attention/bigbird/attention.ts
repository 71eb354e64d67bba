import type { Tensor } from "../../engine/mod.ts";
import {
  blockSparseAttention,
  type BlockSparseOptions,
  type FusedBlockSparseOptions,
  sparseOperands,
} from "../block_sparse/attention.ts";
import { denseMaskedAttention } from "../block_sparse/naive.ts";
import { bigBirdBlockPattern, type BigBirdPattern, checkBigBirdPattern } from "./pattern.ts";
import { randomBlocks } from "./random_blocks.ts";

/** Options of BigBird attention. */
export interface BigBirdAttentionOptions extends BigBirdPattern, BlockSparseOptions {}

/** Options of `fusedBigBirdAttention`. */
export interface FusedBigBirdOptions extends BigBirdPattern, FusedBlockSparseOptions {}

/**
 * BigBird attention in memory and work linear in N: every text token sees the globals, its own block, both neighbours and the random
 * blocks of its block and head; the globals see all. The published model also makes the first and last block global; here the globals
 * are the leading positions.
 *
 * @param qkv Packed projection [B, N, 3, H, d] or [B, N, 3D]; the first `globals` positions are the globals.
 * @returns [B, N, H, d] or [B, N, D].
 * @throws {ShapeError} If the shapes do not fit.
 * @throws {RangeError} If the pattern breaks a rule.
 */
export function fusedBigBirdAttention(qkv: Tensor, options: FusedBigBirdOptions): Tensor {
  checkBigBirdPattern(options);
  const { H, Tk } = sparseOperands(qkv, options.globals, options.heads);
  const pattern = bigBirdBlockPattern(options, H, Tk - options.globals);
  return blockSparseAttention(qkv, pattern, options);
}

/** BigBird attention in plain operations with the whole masked matrix: what the fused form is compared with. Dense-masked. */
export function naiveBigBirdAttention(qkv: Tensor, options: BigBirdAttentionOptions): Tensor {
  checkBigBirdPattern(options);
  const { globals, blockSize } = options;
  const { H, Tk } = sparseOperands(qkv, globals, options.heads);
  const chosen = randomBlocks(options, H, Math.ceil((Tk - globals) / blockSize));
  const block = (t: number) => Math.floor(t / blockSize);
  const sees = (i: number, j: number, head: number) =>
    Math.abs(block(i) - block(j)) <= 1 || chosen[head][block(i)].includes(block(j));
  return denseMaskedAttention(qkv, { globals, sees, headless: false }, options);
}
