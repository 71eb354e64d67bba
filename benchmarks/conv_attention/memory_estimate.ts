import type { ConvAttentionBenchConfig } from "./config.ts";

const F32 = 4;

/**
 * Upper estimate of the peak GPU bytes: one variant at a time in training, all of them side by side when timed. Activations are counted at 20
 * widths a token and block.
 */
export function memoryEstimate(config: ConvAttentionBenchConfig): number {
  const { width, layers } = config.model;
  const { conv, training } = config;
  const vocabulary = config.data.tokenizer === "gpt2"
    ? 50304
    : Math.max(config.data.vocabSize, 512);
  const T = training.blockLength;
  const tokens = training.batchSize * T;
  const widest = conv.width * 2 ** conv.levels;
  const gpt2 = (vocabulary + T) * width + layers * 13 * width ** 2;
  const pyramid = (vocabulary + T) * conv.width + 24 * conv.levels * widest ** 2 + T ** 2;
  const activations = 20 * tokens * Math.max(width * layers, 8 * conv.width);
  const speed = config.speed ? config.variants.length * 2 : 0;
  return F32 * (Math.max(gpt2, pyramid) * (4 + speed) + 2 * activations);
}
