/** Copies between a tensor and a box inside another; the bricks of slice, pad, concat, permute and flip. None is recorded. */
import { type BoxAxis, copyBoxKernel } from "../kernels/copy_box.ts";
import type { Shape, Tensor } from "../tensor.ts";

/** Distance in elements between neighbours along each axis of a row-major array. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let k = shape.length - 1; k >= 0; k--) {
    strides[k] = stride;
    stride *= shape[k];
  }
  return strides;
}

/** The box of `shape` that starts at `starts` in x, as a tensor of its own. */
export function cutBox(x: Tensor, starts: readonly number[], shape: Shape): Tensor {
  const output = x.gpu.empty(shape, x.dtype);
  const [inside, own] = [stridesOf(x.shape), stridesOf(shape)];
  const axes = shape.map((size, k) => ({ size, source: inside[k], target: own[k] }));
  copyBox(x, output, axes, offsetOf(starts, inside), 0);
  return output;
}

/** Writes x over the box that starts at `starts` in `target`. */
export function placeBox(x: Tensor, target: Tensor, starts: readonly number[]): void {
  const [own, inside] = [stridesOf(x.shape), stridesOf(target.shape)];
  const axes = x.shape.map((size, k) => ({ size, source: own[k], target: inside[k] }));
  copyBox(x, target, axes, 0, offsetOf(starts, inside));
}

/** Runs the copy unless it is empty. */
export function copyBox(
  source: Tensor,
  target: Tensor,
  axes: readonly BoxAxis[],
  sourceOffset: number,
  targetOffset: number,
): void {
  if (axes.some(({ size }) => size === 0)) return;
  source.gpu.run(copyBoxKernel({ axes, sourceOffset, targetOffset }), [source, target]);
}

function offsetOf(starts: readonly number[], strides: readonly number[]): number {
  return starts.reduce((sum, start, k) => sum + start * strides[k], 0);
}
