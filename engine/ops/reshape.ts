import { ShapeError } from "../errors.ts";
import { type Shape, showShape, sizeOf, type Tensor } from "../tensor.ts";

/**
 * The same elements in another shape. It shares the memory of x and costs no dispatch.
 *
 * @param shape Shape of x's size; one size may be -1 and is then inferred.
 * @throws {ShapeError} If the sizes do not fit.
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const known = sizeOf(shape.filter((n) => n !== -1));
  const full = shape.map((n) => n === -1 ? x.size / known : n);
  if (
    shape.filter((n) => n === -1).length > 1 || full.some((n) => !Number.isInteger(n) || n < 0) ||
    sizeOf(full) !== x.size
  ) {
    throw new ShapeError(
      `Cannot reshape ${showShape(x.shape)}: the new shape is ${
        showShape(shape)
      }, expected one of ${x.size} elements with at most one -1`,
    );
  }
  return x.gpu.record({
    op: "reshape",
    inputs: [x],
    output: x.view(full),
    backward: (gradient) => [gradient],
  });
}

/** The same elements as a tensor through which no gradient flows. It shares the memory of x. */
export function detach(x: Tensor): Tensor {
  return x.view(x.shape);
}
