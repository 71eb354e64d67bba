import { type Kernel, linearGrid, linearMain, read, u32, write } from "../kernel.ts";

const WORKGROUP = 256;

/** y += x, or y = x. */
export function accumulateKernel(count: number, mode: "add" | "copy"): Kernel {
  return {
    name: `accumulate_${mode}`,
    key: "",
    bindings: [read("x", "vec4f"), write("y", "vec4f")],
    uniforms: [u32("count", count)],
    grid: linearGrid(Math.ceil(count / 4 / WORKGROUP)),
    // y can be a view, and what follows its last element (a neighbour, or padding that enters the gradient norm) must not change.
    body: () =>
      `${linearMain(WORKGROUP)}
  if (i * 4u >= u.count) { return; }
  let value = ${mode === "add" ? "y[i] + x[i]" : "x[i]"};
  let inside = vec4u(i * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(u.count);
  if (all(inside)) { y[i] = value; } else { y[i] = select(y[i], value, inside); }
}`,
  };
}
