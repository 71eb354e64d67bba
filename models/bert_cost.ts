import { attentionFlops } from "../attention/mod.ts";
import type { BertConfig } from "./bert.ts";

/**
 * Floating-point operations of the encoder's matrix products and attention over [B, T], heads not counted; a multiply-add counts two.
 * Norms and activations are left out: they are bandwidth, not arithmetic.
 */
export function bertFlops(
  config: Pick<BertConfig, "width" | "heads" | "layers" | "intermediate">,
  B: number,
  T: number,
): { forward: number; backward: number } {
  const { width: D, heads: H, layers: L, intermediate = 4 * D } = config;
  const products = B * T * L * (8 * D * D + 4 * D * intermediate);
  const attention = attentionFlops({ B, H, T, d: D / H });
  return {
    forward: products + L * attention.forward,
    backward: 2 * products + L * attention.backward,
  };
}
