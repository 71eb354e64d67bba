import { random32 } from "../../data/mod.ts";

/**
 * Standard normal numbers, a pure function of (seed, stream, index), by the Box-Muller transform. Not those of numpy or torch.
 */
export function normalNumber(seed: number, stream: number, index: number): number {
  // 1 - u keeps the logarithm finite.
  const radius = Math.sqrt(-2 * Math.log(1 - random32(seed, stream, 2 * index) / 2 ** 32));
  return radius * Math.cos(2 * Math.PI * random32(seed, stream, 2 * index + 1) / 2 ** 32);
}
