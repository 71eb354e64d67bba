import type { Tensor } from "../../engine/mod.ts";
import { blockSparseAttention, sparseOperands, sparseProblem } from "../block_sparse/attention.ts";
import type { SparseVariant } from "../block_sparse/variant.ts";
import { attendsFully, checkLsgLength, type LsgAttentionOptions } from "./options.ts";
import { lsgBlockPattern } from "./pattern.ts";
import { selectSlots } from "./select.ts";
import { lsgFullAttention } from "./short.ts";

/** Options of `fusedLsgAttention`. */
export interface FusedLsgOptions extends LsgAttentionOptions {
  /** Forces a split of the work. @default {by adapter class and width} */
  readonly variant?: SparseVariant;
}

/**
 * LSG attention (Condevaux and Harispe 2022, arXiv:2210.15497) in memory and work linear in N: globals, the own block with both
 * neighbours, and sparse keys from further away. A text of at most two blocks is attended in full.
 *
 * @param qkv Packed projection [B, N, 3, H, d] or [B, N, 3D]; the first `globals` of the N positions are the globals, any text length.
 * @param options Pattern, heads, mask, scale, dropout and kernel variant.
 * @returns [B, N, H, d] or [B, N, D].
 * @throws {ShapeError} If the shapes do not fit.
 * @throws {RangeError} If the pattern breaks a rule of `checkLsgPattern`.
 */
export function fusedLsgAttention(qkv: Tensor, options: FusedLsgOptions): Tensor {
  const { Tk } = sparseOperands(qkv, options.globals, options.heads);
  const T = Tk - options.globals;
  checkLsgLength(options, T);
  if (attendsFully(options, T)) return lsgFullAttention(qkv, options, "fused");
  return blockSparseAttention(
    qkv,
    lsgBlockPattern(options),
    options,
    (problem) => selectSlots(qkv, options.keyMask, problem, options),
  );
}

/**
 * The forward work of choosing the sparse keys alone, without attending: for measuring its share. Leaves nothing behind.
 *
 * @throws As `fusedLsgAttention`.
 */
export function runLsgSelection(qkv: Tensor, options: LsgAttentionOptions): void {
  const { problem } = sparseProblem(qkv, lsgBlockPattern(options), options);
  const T = problem.Tk - options.globals;
  checkLsgLength(options, T);
  if (attendsFully(options, T)) return;
  selectSlots(qkv, options.keyMask, problem, options)?.owned.forEach((t) => t.dispose());
}
