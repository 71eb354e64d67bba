import { f32, type Kernel, linearGrid, linearMain, read, u32, write } from "../../engine/mod.ts";

const WORKGROUP = 256;

/** Numbers of one AdamW update that change from step to step. */
export interface AdamWCall {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** 1 - beta1^t. */
  readonly correction1: number;
  /** 1 - beta2^t. */
  readonly correction2: number;
}

/**
 * One AdamW update of a flat group (Loshchilov and Hutter 2019, Algorithm 2): decay first, then the step. `control[0]` is the factor on
 * the gradients that clipping and accumulation ask for; it stays on the GPU.
 */
export function adamwKernel(count: number, call: AdamWCall): Kernel {
  return {
    name: "adamw",
    key: "",
    bindings: [
      read("gradients", "vec4f"),
      read("control"),
      write("values", "vec4f"),
      write("first", "vec4f"),
      write("second", "vec4f"),
    ],
    uniforms: [
      u32("count", count / 4),
      f32("beta1", call.beta1),
      f32("beta2", call.beta2),
      f32("step", call.learningRate / call.correction1),
      f32("root", 1 / Math.sqrt(call.correction2)),
      f32("epsilon", call.epsilon),
      f32("keep", 1 - call.learningRate * call.weightDecay),
    ],
    grid: linearGrid(Math.ceil(count / 4 / WORKGROUP)),
    body: () =>
      `${linearMain(WORKGROUP)}
  if (i >= u.count) { return; }
  let g = gradients[i] * control[0];
  let m = u.beta1 * first[i] + (1.0 - u.beta1) * g;
  let v = u.beta2 * second[i] + (1.0 - u.beta2) * g * g;
  first[i] = m;
  second[i] = v;
  values[i] = values[i] * u.keep - u.step * m / (sqrt(v) * u.root + u.epsilon);
}`,
  };
}
