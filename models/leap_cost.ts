import { leapFlops } from "../attention/mod.ts";
import type { ResolvedLeapConfig } from "./leap.ts";

/**
 * Floating-point operations of matrix products and the mechanism over [B, T]; a multiply-add counts two. The backward pass does each
 * product twice. Norms, activations and the optimizer are left out, as for GPT-2.
 */
export function leapModelFlops(
  config: ResolvedLeapConfig,
  B: number,
  T: number,
): { forward: number; backward: number } {
  const { variant, rescale, width: D, heads: H, layers: L, vocabSize: V, windows } = config;
  const products = B * T * (L * 24 * D * D + 2 * D * V);
  let [forward, backward] = [products, 2 * products];
  for (const window of windows) {
    const mechanism = leapFlops({ variant, rescale, B, T, H, d: D / H, window });
    forward += mechanism.forward;
    backward += mechanism.backward;
  }
  return { forward, backward };
}
