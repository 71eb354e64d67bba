import type { Gpu, Tensor } from "../../engine/mod.ts";

/**
 * Runs a layer. Without a tape its inner tensors are freed at once, so that the memory of a long input does not grow with the number of layers;
 * with one they stay for backward.
 */
export function layerScope(gpu: Gpu, layer: () => Tensor): Tensor {
  return gpu.tape ? layer() : gpu.scope(layer);
}
