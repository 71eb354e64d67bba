import type { LeapBenchConfig } from "./config.ts";

/** Bytes of one f32. */
const F32 = 4;

/**
 * Upper estimate of the peak GPU bytes: the longest naive speed row that can run, or training, whichever is larger. Activations are
 * counted at 20 widths a token and layer (measured: about 16 for GPT-2, 13 for LEAP).
 */
export function memoryEstimate(config: LeapBenchConfig): number {
  const { width, heads, layers } = config.model;
  const vocabSize = Math.max(config.data.vocabSize, 2048);
  const parameters = (n: number, positions: number) =>
    n * 12 * width ** 2 + (vocabSize + positions) * width;
  const activations = (n: number, tokens: number) => 20 * n * tokens * width;
  const { batchSize, blockLength } = config.training;
  // Values, gradients and two moments.
  const training = 4 * parameters(layers, blockLength) +
    activations(layers, batchSize * blockLength);
  let speed = 0;
  for (const T of config.speed?.lengths ?? []) {
    const { layers: n, batchSize: B, naiveLimit } = config.speed!;
    const fused = 3 * (2 * parameters(n, T) + activations(n, B * T));
    const naive = T <= naiveLimit ? 4 * n * B * heads * T ** 2 : 0;
    speed = Math.max(speed, fused + naive);
  }
  return F32 * Math.max(training, speed);
}
