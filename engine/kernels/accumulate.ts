import { type Kernel, linearGrid, linearMain, read, u32, write } from "../kernel.ts";

const WORKGROUP = 256;

/** y += x, or y = x. */
export function accumulateKernel(count: number, mode: "add" | "copy"): Kernel {
  return {
    name: `accumulate_${mode}`,
    key: "",
    bindings: [read("x", "vec4f"), write("y", "vec4f")],
    uniforms: [u32("count", Math.ceil(count / 4))],
    grid: linearGrid(Math.ceil(count / 4 / WORKGROUP)),
    // The tail of the last vec4 is padding of y's own buffer, so it may be written.
    body: () =>
      `${linearMain(WORKGROUP)}
  if (i < u.count) { y[i] = ${mode === "add" ? "y[i] + x[i]" : "x[i]"}; }
}`,
  };
}
