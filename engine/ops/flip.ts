import type { Tensor } from "../tensor.ts";
import { copyBox, stridesOf } from "./copy_box.ts";

/**
 * Reverses the order of elements along the given axes.
 *
 * @param axes Negative values count from the end.
 * @throws {ShapeError} If an axis is out of range.
 */
export function flip(x: Tensor, axes: readonly number[]): Tensor {
  const reversed = axes.map((axis) => {
    x.dim(axis);
    return axis < 0 ? axis + x.rank : axis;
  });
  return x.gpu.record({
    op: "flip",
    inputs: [x],
    output: flipped(x, reversed),
    backward: (gradient) => [flipped(gradient, reversed)],
  });
}

function flipped(x: Tensor, reversed: readonly number[]): Tensor {
  const output = x.gpu.empty(x.shape, x.dtype);
  const strides = stridesOf(x.shape);
  let offset = 0;
  const axes = x.shape.map((size, k) => {
    if (!reversed.includes(k)) return { size, source: strides[k], target: strides[k] };
    offset += (size - 1) * strides[k];
    return { size, source: -strides[k], target: strides[k] };
  });
  copyBox(x, output, axes, offset, 0);
  return output;
}
