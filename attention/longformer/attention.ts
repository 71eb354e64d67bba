import type { Tensor } from "../../engine/mod.ts";
import {
  blockSparseAttention,
  type BlockSparseOptions,
  type FusedBlockSparseOptions,
  sparseOperands,
} from "../block_sparse/attention.ts";
import { denseMaskedAttention } from "../block_sparse/naive.ts";
import {
  checkLongformerPattern,
  inWindow,
  longformerBlockPattern,
  type LongformerPattern,
} from "./pattern.ts";

/** Options of Longformer attention. */
export interface LongformerAttentionOptions extends LongformerPattern, BlockSparseOptions {}

/** Options of `fusedLongformerAttention`. */
export interface FusedLongformerOptions extends LongformerPattern, FusedBlockSparseOptions {}

/**
 * Longformer attention in memory and work linear in N: every text token sees the globals and `window` tokens on each side, the globals
 * see all. The globals share the projections of the text; the published model has a second set for them.
 *
 * @param qkv Packed projection [B, N, 3, H, d] or [B, N, 3D]; the first `globals` positions are the globals.
 * @returns [B, N, H, d] or [B, N, D].
 * @throws {ShapeError} If the shapes do not fit.
 * @throws {RangeError} If the pattern breaks a rule.
 */
export function fusedLongformerAttention(qkv: Tensor, options: FusedLongformerOptions): Tensor {
  checkLongformerPattern(options);
  const { Tk } = sparseOperands(qkv, options.globals, options.heads);
  return blockSparseAttention(qkv, longformerBlockPattern(options, Tk - options.globals), options);
}

/** Longformer attention in plain operations with the whole masked matrix: what the fused form is compared with. Dense-masked. */
export function naiveLongformerAttention(
  qkv: Tensor,
  options: LongformerAttentionOptions,
): Tensor {
  checkLongformerPattern(options);
  const { globals } = options;
  const sees = (i: number, j: number) => inWindow(options, i, j);
  return denseMaskedAttention(qkv, { globals, sees }, options);
}
