import { type Kernel, linearGrid, linearMain, read, u32, write } from "../kernel.ts";
import { type Activation, activationFunctions } from "./activations.ts";

const WORKGROUP = 256;

/** y = activation(x). */
export function activationForwardKernel(count: number, name: Activation): Kernel {
  return {
    name: `${name}_fwd`,
    key: "",
    bindings: [read("x", "vec4f"), write("y", "vec4f")],
    uniforms: [u32("count", Math.ceil(count / 4))],
    grid: linearGrid(Math.ceil(count / 4 / WORKGROUP)),
    body: () =>
      `${activationFunctions(name, "vec4f")}
${linearMain(WORKGROUP)}
  if (i < u.count) { y[i] = activation(x[i]); }
}`,
  };
}

/** dx = dy * activation'(x). */
export function activationBackwardKernel(count: number, name: Activation): Kernel {
  return {
    name: `${name}_bwd`,
    key: "",
    bindings: [read("dy", "vec4f"), read("x", "vec4f"), write("dx", "vec4f")],
    uniforms: [u32("count", Math.ceil(count / 4))],
    grid: linearGrid(Math.ceil(count / 4 / WORKGROUP)),
    body: () =>
      `${activationFunctions(name, "vec4f", { derivative: true })}
${linearMain(WORKGROUP)}
  if (i < u.count) { dx[i] = dy[i] * activation_derivative(x[i]); }
}`,
  };
}
