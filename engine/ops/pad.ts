import { ShapeError } from "../errors.ts";
import { showShape, type Tensor } from "../tensor.ts";
import { cutBox, placeBox } from "./copy_box.ts";

/**
 * `x` with `before[k]` elements in front of axis k and `after[k]` behind it, all equal to `value`.
 *
 * @param before One non-negative count per axis.
 * @param after One non-negative count per axis.
 * @throws {ShapeError} If the counts do not match the axes or one is negative.
 */
export function pad(
  x: Tensor,
  before: readonly number[],
  after: readonly number[],
  value = 0,
): Tensor {
  const gpu = x.gpu;
  const counts = [...before, ...after];
  if (
    before.length !== x.rank || after.length !== x.rank ||
    !counts.every((n) => Number.isInteger(n) && n >= 0)
  ) {
    throw new ShapeError(
      `Cannot pad ${showShape(x.shape)}: before is ${showShape(before)}, after ${
        showShape(after)
      }, expected ` +
        `${x.rank} non-negative whole numbers each`,
    );
  }
  const output = gpu.full(
    x.shape.map((size, k) => before[k] + size + after[k]),
    value,
    x.dtype,
  );
  placeBox(x, output, before);
  return gpu.record({
    op: "pad",
    inputs: [x],
    output,
    backward: (gradient) => [cutBox(gradient, before, x.shape)],
  });
}
