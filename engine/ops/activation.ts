import { activationBackwardKernel, activationForwardKernel } from "../kernels/activation.ts";
import type { Activation } from "../kernels/activations.ts";
import type { Tensor } from "../tensor.ts";

/** Applies a pointwise non-linearity; the derivative is taken at the saved input. */
export function activate(x: Tensor, name: Activation): Tensor {
  const gpu = x.gpu;
  const output = gpu.empty(x.shape);
  gpu.run(activationForwardKernel(x.size, name), [x, output]);
  return gpu.record({
    op: name,
    inputs: [x],
    output,
    backward: (gradient) => [activationGradient(gradient, x, name)],
  });
}

/** gradient * activation'(x); not recorded. */
export function activationGradient(gradient: Tensor, x: Tensor, name: Activation): Tensor {
  const dx = x.gpu.empty(x.shape);
  x.gpu.run(activationBackwardKernel(x.size, name), [gradient, x, dx]);
  return dx;
}

/** x * Phi(x), Phi the standard normal distribution function (exact, by erf). */
export const gelu = (x: Tensor): Tensor => activate(x, "gelu");
/** The tanh approximation of GELU that GPT-2 uses. */
export const geluTanh = (x: Tensor): Tensor => activate(x, "geluTanh");
/** max(x, 0). */
export const relu = (x: Tensor): Tensor => activate(x, "relu");
/** 1 / (1 + exp(-x)). */
export const sigmoid = (x: Tensor): Tensor => activate(x, "sigmoid");
/** Hyperbolic tangent. */
export const tanh = (x: Tensor): Tensor => activate(x, "tanh");
/** x for x > 0, exp(x) - 1 otherwise. */
export const elu = (x: Tensor): Tensor => activate(x, "elu");
/** x * sigmoid(x). */
export const silu = (x: Tensor): Tensor => activate(x, "silu");
