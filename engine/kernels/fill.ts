import { type Kernel, linearGrid, linearMain, u32, write } from "../kernel.ts";

const WORKGROUP = 256;

/** Writes the same 32 bits to `count` elements. */
export function fillKernel(count: number, bits: number): Kernel {
  return {
    name: "fill",
    key: "",
    bindings: [write("y", "u32")],
    uniforms: [u32("count", count), u32("bits", bits)],
    grid: linearGrid(Math.ceil(count / WORKGROUP)),
    body: () =>
      `${linearMain(WORKGROUP)}
  if (i < u.count) { y[i] = u.bits; }
}`,
  };
}
