import type { Tensor } from "../../engine/mod.ts";
import type { EncoderAttention } from "../../models/mod.ts";

/** PLACEHOLDER until the kernels land. */
export function buildSelection(
  _qkv: Tensor,
  _attention: EncoderAttention,
): (() => void) | undefined {
  return undefined;
}
