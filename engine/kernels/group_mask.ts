import { type Kernel, linearGrid, linearMain, read, u32, write } from "../kernel.ts";

const WORKGROUP = 256;

/** 1 where any of `size` neighbouring values is not 0. */
export function groupMaskKernel(groups: number, size: number): Kernel {
  return {
    name: "group_mask",
    key: "",
    bindings: [read("mask", "i32"), write("y", "i32")],
    uniforms: [u32("count", groups), u32("size", size)],
    grid: linearGrid(Math.ceil(groups / WORKGROUP)),
    body: () =>
      `${linearMain(WORKGROUP)}
  if (i >= u.count) { return; }
  var any = 0;
  for (var k = 0u; k < u.size; k++) { any = select(any, 1, mask[i * u.size + k] != 0); }
  y[i] = any;
}`,
  };
}
