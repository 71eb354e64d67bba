import { UNARY, UNARY_BACKWARD } from "../kernels/pointwise.ts";
import type { Tensor } from "../tensor.ts";
import { elementwise, shaped } from "./elementwise.ts";

type Function = Exclude<keyof typeof UNARY, "affine" | "pow">;

/** Applies `name`; its derivative needs the input or, where that is cheaper, the output. */
function unary(x: Tensor, name: Function, needs: "input" | "output", numbers: number[] = []) {
  const output = elementwise(UNARY[name], [x], numbers);
  return x.gpu.record({
    op: name,
    inputs: [x],
    output,
    backward: (gradient) => [
      elementwise(
        UNARY_BACKWARD[name],
        [shaped(gradient, x.shape), needs === "input" ? x : output],
        numbers,
      ),
    ],
  });
}

/** x * scale + offset for two numbers; any shape. */
export function affine(x: Tensor, scale: number, offset: number): Tensor {
  return x.gpu.record({
    op: "affine",
    inputs: [x],
    output: elementwise(UNARY.affine, [x], [scale, offset]),
    backward: (
      gradient,
    ) => [scale === 1 ? gradient : elementwise(UNARY.affine, [gradient], [scale, 0])],
  });
}

/** -x; any shape. */
export const neg = (x: Tensor): Tensor => affine(x, -1, 0);
/** x + number; any shape. */
export const addScalar = (x: Tensor, number: number): Tensor => affine(x, 1, number);
/** x * number; any shape. */
export const mulScalar = (x: Tensor, number: number): Tensor => affine(x, number, 0);
/** e to the x; any shape. */
export const exp = (x: Tensor): Tensor => unary(x, "exp", "output");
/** Natural logarithm; any shape. */
export const log = (x: Tensor): Tensor => unary(x, "log", "input");
/** Square root; any shape. The gradient at 0 is infinite. */
export const sqrt = (x: Tensor): Tensor => unary(x, "sqrt", "output");
/** x * x; any shape. */
export const square = (x: Tensor): Tensor => unary(x, "square", "input");
/** |x|; any shape. The gradient at 0 is 0. */
export const abs = (x: Tensor): Tensor => unary(x, "abs", "input");
/** 1 / x; any shape. */
export const reciprocal = (x: Tensor): Tensor => unary(x, "reciprocal", "output");
/** max(x, number); any shape. Where they are equal the gradient goes to x. */
export const maximumScalar = (x: Tensor, number: number): Tensor =>
  unary(x, "maximum", "input", [number]);
/** min(x, number); any shape. Where they are equal the gradient goes to x. */
export const minimumScalar = (x: Tensor, number: number): Tensor =>
  unary(x, "minimum", "input", [number]);

/** x to the power of a number; any shape. A negative base needs an integer exponent, otherwise the element is unspecified. */
export function pow(x: Tensor, exponent: number): Tensor {
  if (exponent === 2) return square(x);
  if (exponent === 0.5) return sqrt(x);
  if (exponent === -1) return reciprocal(x);
  return x.gpu.record({
    op: "pow",
    inputs: [x],
    output: elementwise(UNARY.pow, [x], [exponent, parity(exponent)]),
    backward: (gradient) => {
      const numbers = [exponent - 1, parity(exponent - 1), exponent];
      return [elementwise(UNARY_BACKWARD.pow, [shaped(gradient, x.shape), x], numbers)];
    },
  });
}

/** 0 for even integers, 1 for odd ones, 2 for other numbers. */
function parity(exponent: number): number {
  return Number.isInteger(exponent) ? Math.abs(exponent % 2) : 2;
}
