import type { BertConfig } from "./bert_config.ts";
import { encoderAttentionFlops, prependedGlobals } from "./encoder_attention.ts";

/**
 * Floating-point operations of the encoder's matrix products and attention over [B, T], heads not counted; a multiply-add counts two.
 * Norms and activations are left out: they are bandwidth, not arithmetic. Tokens that the attention puts in front are counted in.
 */
export function bertFlops(
  config: Pick<BertConfig, "width" | "heads" | "layers" | "intermediate" | "attention">,
  B: number,
  T: number,
): { forward: number; backward: number } {
  const { width: D, heads: H, layers: L, intermediate = 4 * D, attention = "fused" } = config;
  const rows = B * (prependedGlobals(attention) + T);
  const products = rows * L * (8 * D * D + 4 * D * intermediate);
  const perLayer = encoderAttentionFlops(attention, { B, H, T, d: D / H });
  return {
    forward: products + L * perLayer.forward,
    backward: 2 * products + L * perLayer.backward,
  };
}
