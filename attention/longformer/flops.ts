import { sparseFlops } from "../block_sparse/flops.ts";
import type { AttentionFlops } from "../softmax/flops.ts";
import type { LongformerPattern } from "./pattern.ts";

/** Sizes that decide the arithmetic of Longformer attention. */
export interface LongformerFlopsOptions extends LongformerPattern {
  readonly B: number;
  readonly H: number;
  /** Text tokens, without the globals. */
  readonly T: number;
  readonly d: number;
}

/** Multiply-adds, counted as two, of the visible pairs. */
export function longformerFlops(
  { B, H, T, d, globals, window }: LongformerFlopsOptions,
): AttentionFlops {
  const w = Math.min(window, T - 1);
  // A full window less what hangs over at both ends.
  const text = T * (2 * w + 1) - w * (w + 1);
  return sparseFlops(B * H * (text + globals * T + globals * (globals + T)), d);
}
