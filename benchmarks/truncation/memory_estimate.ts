import type { TruncationConfig } from "./config.ts";

/** Activations kept for backward, in multiples of the width per token and layer: projections, attention, MLP, norms, residuals. */
const ACTIVATIONS = 24;
/** Values, gradients and two moments of AdamW. */
const COPIES = 4;

/** Peak bytes of fine-tuning the encoder, the largest part of a run: parameters with optimizer, and activations of a batch. */
export function memoryEstimate({ encoder, maxLength, fineTuning }: TruncationConfig): number {
  const { vocabSize, width, layers } = encoder.source === "hub"
    ? { vocabSize: 30522, width: 768, layers: 12 }
    : encoder;
  const parameters = width * (vocabSize + maxLength) + layers * 12 * width ** 2;
  const tokens = fineTuning.batchSize * maxLength;
  return 4 * (COPIES * parameters + ACTIVATIONS * tokens * width * layers);
}
