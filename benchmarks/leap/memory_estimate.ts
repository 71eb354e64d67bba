import type { LeapBenchConfig } from "./config.ts";

/** Bytes of one f32. */
const F32 = 4;

/**
 * Upper estimate of the peak GPU bytes: training, or the longest speed row, whichever is larger. Activations are counted at 20 widths a
 * token and layer (measured: about 16 for GPT-2, 13 for LEAP). The naive baseline's T x T scores are left out: where they do not fit, its
 * row fails alone.
 */
export function memoryEstimate(config: LeapBenchConfig): number {
  const { width, layers } = config.model;
  const vocabSize = Math.max(config.data.vocabSize, 2048);
  const parameters = (n: number, positions: number) =>
    n * 12 * width ** 2 + (vocabSize + positions) * width;
  const activations = (n: number, tokens: number) => 20 * n * tokens * width;
  const { batchSize, blockLength } = config.training;
  // Values, gradients and two moments.
  const training = 4 * parameters(layers, blockLength) +
    activations(layers, batchSize * blockLength);
  const contestants = config.variants.length + 1;
  const speed = (config.speed?.lengths ?? []).map((T) =>
    contestants * 2 * parameters(config.speed!.layers, T) +
    activations(config.speed!.layers, config.speed!.batchSize * T)
  );
  return F32 * Math.max(training, ...speed);
}
