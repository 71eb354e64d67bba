import { attentionFlops } from "../attention/mod.ts";
import type { ConvAttentionConfig } from "./conv_attention.ts";
import { gpt2BlockProducts } from "./layers/gpt2_block.ts";

/**
 * Floating-point operations of matrix products, convolutions and attention over [B, T]; a multiply-add counts two. The length is rounded up to
 * what the model runs. The backward pass does each product twice.
 */
export function convAttentionFlops(
  config: Required<ConvAttentionConfig>,
  B: number,
  T: number,
): { forward: number; backward: number } {
  const { width, heads: H, factor, levels, widthFactor, form, positions, vocabSize } = config;
  const group = factor ** levels;
  const length = form === "published" ? positions : Math.ceil(T / group) * group;
  let products = 2 * B * T * width * vocabSize;
  let attention = { forward: 0, backward: 0 };
  const blocks = (L: number, w: number, count: number) => {
    products += count * gpt2BlockProducts(B * L, w);
    const one = attentionFlops({ B, H, T: L, d: w / H, causal: true });
    attention = {
      forward: attention.forward + count * one.forward,
      backward: attention.backward + count * one.backward,
    };
  };
  for (let i = 0; i < levels; i++) {
    const [L, w] = [length / factor ** i, width * widthFactor ** i];
    const [shorter, wider] = [L / factor, w * widthFactor];
    // Two blocks at each side of a resampling, in the compressor and in the expander.
    blocks(L, w, 2);
    blocks(shorter, wider, 2);
    products += 2 * B * shorter * factor * w * wider;
    products += form === "published"
      ? 2 * B * L * shorter * wider
      : 2 * B * shorter * wider * factor * w;
  }
  return {
    forward: products + attention.forward,
    backward: 2 * products + attention.backward,
  };
}
