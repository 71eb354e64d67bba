import { attentionFlops } from "../attention/mod.ts";
import type { Gpt2Config } from "./gpt2.ts";

/**
 * Floating-point operations of matrix products and attention over [B, T]; a multiply-add counts two. The backward pass does each product
 * twice (input and weight gradients). Norms, activations and the optimizer are left out: they are bandwidth, not arithmetic.
 */
export function gpt2Flops(
  config: Gpt2Config,
  B: number,
  T: number,
): { forward: number; backward: number } {
  const { width: D, heads: H, layers: L, vocabSize: V } = config;
  const products = B * T * (L * 24 * D * D + 2 * D * V);
  const attention = attentionFlops({ B, H, T, d: D / H, causal: true });
  return {
    forward: products + L * attention.forward,
    backward: 2 * products + L * attention.backward,
  };
}
