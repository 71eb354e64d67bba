import { BINARY, BINARY_BACKWARD } from "../kernels/pointwise.ts";
import { Tensor } from "../tensor.ts";
import { elementwise, shaped } from "./elementwise.ts";
import { sumTo } from "./sum_to.ts";
import { affine, maximumScalar, minimumScalar, mulScalar, neg, reciprocal } from "./unary.ts";

/** An operand: a tensor, or a number that stands for a tensor of that value everywhere. At least one of two is a tensor. */
export type Operand = Tensor | number;

type Gradient = (gradient: Tensor, a: Tensor, b: Tensor) => Tensor;

/** Applies a binary function to broadcast tensors; `first` and `second` give the gradients before they are summed to the operand's shape. */
function binary(
  name: keyof typeof BINARY,
  a: Tensor,
  b: Tensor,
  first: Gradient,
  second: Gradient,
) {
  const output = elementwise(BINARY[name], [a, b]);
  return a.gpu.record({
    op: name,
    inputs: [a, b],
    output,
    backward: (arrived, needs) => {
      const gradient = shaped(arrived, output.shape);
      return [first, second].map((rule, i) => {
        if (!needs[i]) return undefined;
        const full = rule(gradient, a, b);
        const summed = sumTo(full, [a, b][i].shape);
        if (full !== gradient && full !== summed) full.dispose();
        return summed;
      });
    },
  });
}

const upstream: Gradient = (gradient) => gradient;

/** One tensor and one number swap places where the function commutes. */
function commute(a: Operand, b: Operand, scalar: (x: Tensor, number: number) => Tensor): Tensor {
  return a instanceof Tensor ? scalar(a, b as number) : scalar(needTensor(b), a);
}

function needTensor(x: Operand): Tensor {
  if (x instanceof Tensor) return x;
  throw new TypeError(
    `Cannot combine two numbers on the GPU: got ${x}, expected at least one tensor`,
  );
}

const bothTensors = (a: Operand, b: Operand): [Tensor, Tensor] | undefined =>
  a instanceof Tensor && b instanceof Tensor ? [a, b] : undefined;

/** a + b, broadcast by NumPy's rule (rank up to 6). */
export function add(a: Operand, b: Operand): Tensor {
  const tensors = bothTensors(a, b);
  if (!tensors) return commute(a, b, (x, number) => affine(x, 1, number));
  return binary("add", ...tensors, upstream, upstream);
}

/** a - b, broadcast by NumPy's rule (rank up to 6). */
export function sub(a: Operand, b: Operand): Tensor {
  const tensors = bothTensors(a, b);
  if (tensors) return binary("sub", ...tensors, upstream, (gradient) => neg(gradient));
  return a instanceof Tensor ? affine(a, 1, -(b as number)) : affine(needTensor(b), -1, a);
}

/** a * b, broadcast by NumPy's rule (rank up to 6). */
export function mul(a: Operand, b: Operand): Tensor {
  const tensors = bothTensors(a, b);
  if (!tensors) return commute(a, b, mulScalar);
  return binary(
    "mul",
    ...tensors,
    (gradient, _a, b) => elementwise(BINARY.mul, [gradient, b]),
    (gradient, a) => elementwise(BINARY.mul, [gradient, a]),
  );
}

/** a / b, broadcast by NumPy's rule (rank up to 6). */
export function div(a: Operand, b: Operand): Tensor {
  const tensors = bothTensors(a, b);
  if (!tensors) {
    return a instanceof Tensor
      ? mulScalar(a, 1 / (b as number))
      : mulScalar(reciprocal(needTensor(b)), a);
  }
  return binary(
    "div",
    ...tensors,
    (gradient, _a, b) => elementwise(BINARY.div, [gradient, b]),
    (gradient, a, b) => elementwise(BINARY_BACKWARD.divisor, [gradient, a, b]),
  );
}

/** The larger of a and b, broadcast by NumPy's rule (rank up to 6). Where they are equal the gradient goes to a (to the tensor, if one is a number). */
export function maximum(a: Operand, b: Operand): Tensor {
  const tensors = bothTensors(a, b);
  if (!tensors) return commute(a, b, maximumScalar);
  return binary(
    "maximum",
    ...tensors,
    (...operands) => elementwise(BINARY_BACKWARD.maximumFirst, operands),
    (...operands) => elementwise(BINARY_BACKWARD.maximumSecond, operands),
  );
}

/** The smaller of a and b, broadcast by NumPy's rule (rank up to 6). Where they are equal the gradient goes to a (to the tensor, if one is a number). */
export function minimum(a: Operand, b: Operand): Tensor {
  const tensors = bothTensors(a, b);
  if (!tensors) return commute(a, b, minimumScalar);
  return binary(
    "minimum",
    ...tensors,
    (...operands) => elementwise(BINARY_BACKWARD.minimumFirst, operands),
    (...operands) => elementwise(BINARY_BACKWARD.minimumSecond, operands),
  );
}

/** 1 where a > b, else 0, broadcast by NumPy's rule (rank up to 6). No gradient flows through it. */
export function greater(a: Tensor, b: Tensor): Tensor {
  return elementwise(BINARY.greater, [a, b]);
}
