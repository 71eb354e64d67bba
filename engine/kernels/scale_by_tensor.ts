import { type Kernel, linearGrid, linearMain, read, u32, write } from "../kernel.ts";

const WORKGROUP = 256;

/** y *= factor[0], for a factor only the GPU knows. y is a whole buffer, so the tail of its last vec4 may be written. */
export function scaleByTensorKernel(count: number): Kernel {
  return {
    name: "scale_by_tensor",
    key: "",
    bindings: [read("factor"), write("y", "vec4f")],
    uniforms: [u32("count", Math.ceil(count / 4))],
    grid: linearGrid(Math.ceil(count / 4 / WORKGROUP)),
    body: () =>
      `${linearMain(WORKGROUP)}
  if (i < u.count) { y[i] *= factor[0]; }
}`,
  };
}
