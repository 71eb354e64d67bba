import { broadcastShape, elementwisePlan } from "../broadcast.ts";
import { elementwiseKernel, type Pointwise } from "../kernels/elementwise.ts";
import { type Shape, showShape, type Tensor } from "../tensor.ts";

/** @throws {TypeError} If x is not f32. */
export function checkFloat(op: string, x: Tensor): void {
  if (x.dtype !== "f32") {
    throw new TypeError(
      `Cannot compute ${op}: an operand ${showShape(x.shape)} is ${x.dtype}, expected f32`,
    );
  }
}

/** `x` itself, or a view of it: an upstream gradient may arrive in another shape of the same size. */
export function shaped(x: Tensor, shape: Shape): Tensor {
  const equal = x.rank === shape.length && x.shape.every((n, axis) => n === shape[axis]);
  return equal ? x : x.view(shape);
}

/**
 * Runs a pointwise function over operands that are broadcast to a common shape. Not recorded.
 *
 * @param f Function of as many operands as are given.
 * @param operands One to three f32 tensors.
 * @param numbers Values of `u.p`, `u.q`, `u.r`.
 * @param shape Shape of the result, if the operands do not reach it by themselves.
 */
export function elementwise(
  f: Pointwise,
  operands: readonly Tensor[],
  numbers: readonly number[] = [],
  shape: Shape = broadcastShape(operands.map((t) => t.shape)),
): Tensor {
  const { gpu } = operands[0];
  operands.forEach((x) => checkFloat(f.name, x));
  const output = gpu.empty(shape);
  const plan = elementwisePlan(shape, operands.map((t) => t.shape));
  if (output.size > 0) gpu.run(elementwiseKernel(f, plan, numbers), [...operands, output]);
  return output;
}
