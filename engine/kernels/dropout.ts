import { f32, type Kernel, linearGrid, linearMain, read, u32, write } from "../kernel.ts";
import { RANDOM_WGSL } from "./random_wgsl.ts";

const WORKGROUP = 256;
/** Fourth word of the counter; keeps these draws apart from those of `uniformAt` and `normalAt`. */
export const DROPOUT_DOMAIN = 2;

/**
 * y = x * scale where the element is kept, else 0. One hash serves four elements: element e is kept if the upper 24 bits of word e % 4 of
 * hash4(e / 4, stream, seed, DROPOUT_DOMAIN) are at least `threshold`.
 */
export function dropoutKernel(
  count: number,
  threshold: number,
  scale: number,
  stream: number,
  seed: number,
): Kernel {
  return {
    name: "dropout",
    key: "",
    bindings: [read("x", "vec4f"), write("y", "vec4f")],
    uniforms: [
      u32("count", Math.ceil(count / 4)),
      u32("threshold", threshold),
      u32("stream", stream),
      u32("seed", seed),
      f32("scale", scale),
    ],
    grid: linearGrid(Math.ceil(count / 4 / WORKGROUP)),
    body: () =>
      `${RANDOM_WGSL}
${linearMain(WORKGROUP)}
  if (i >= u.count) { return; }
  let draws = hash4(vec4u(i, u.stream, u.seed, ${DROPOUT_DOMAIN}u)) >> vec4u(8u);
  y[i] = select(vec4f(0.0), x[i] * u.scale, draws >= vec4u(u.threshold));
}`,
  };
}
