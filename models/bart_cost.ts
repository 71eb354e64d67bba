import { attentionFlops } from "../attention/mod.ts";
import type { BartConfig } from "./bart_config.ts";
import { bertFlops } from "./bert_cost.ts";
import { prependedGlobals } from "./encoder_attention.ts";

/**
 * Floating-point operations of encoder and decoder over inputs [B, T] and outputs [B, Td]; a multiply-add counts two. Logits, norms and activations
 * are left out.
 */
export function bartFlops(
  config: Required<BartConfig>,
  B: number,
  T: number,
  Td: number,
): { forward: number; backward: number } {
  const { width: D, decoderHeads: H, decoderLayers: L, decoderIntermediate } = config;
  const encoder = bertFlops(config, B, T);
  const S = T + (config.passGlobals ? prependedGlobals(config.attention) : 0);
  // Self-attention 4 D^2, cross-attention's query and output 2 D^2, MLP; key and value of the encoder's states.
  const products = 2 * B * L * (Td * (6 * D * D + 2 * D * decoderIntermediate) + S * 2 * D * D);
  const d = D / H;
  const own = attentionFlops({ B, H, T: Td, d, causal: true });
  const cross = attentionFlops({ B, H, T: Td, Tk: S, d });
  return {
    forward: encoder.forward + products + L * (own.forward + cross.forward),
    backward: encoder.backward + 2 * products + L * (own.backward + cross.backward),
  };
}
