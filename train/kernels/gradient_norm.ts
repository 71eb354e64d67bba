import { f32, type Kernel, linearGrid, linearMain, read, u32, write } from "../../engine/mod.ts";

const WORKGROUP = 64;
/** vec4 values one thread adds up. */
const CHUNK = 512;

/** Number of partial sums of a group of `count` values. */
export function partialCount(count: number): number {
  return Math.ceil(count / 4 / CHUNK);
}

/** Sums of squares of consecutive chunks of x, written from `offset` on. */
export function sumOfSquaresKernel(count: number, offset: number): Kernel {
  return {
    name: "sum_of_squares",
    key: "",
    bindings: [read("x", "vec4f"), write("partial")],
    uniforms: [u32("count", count / 4), u32("offset", offset)],
    grid: linearGrid(Math.ceil(partialCount(count) / WORKGROUP)),
    body: () =>
      `${linearMain(WORKGROUP)}
  let begin = i * ${CHUNK}u;
  if (begin >= u.count) { return; }
  let end = min(begin + ${CHUNK}u, u.count);
  var sum = vec4f();
  for (var j = begin; j < end; j++) { sum += x[j] * x[j]; }
  partial[u.offset + i] = (sum.x + sum.y) + (sum.z + sum.w);
}`,
  };
}

/**
 * Reduces the partial sums with one workgroup and writes control = [factor on the gradients, global norm before clipping]:
 * factor = scale * min(1, maxNorm / (scale * norm + 1e-6)), the rule of torch.nn.utils.clip_grad_norm_.
 */
export function clipFactorKernel(partials: number, scale: number, maxNorm: number): Kernel {
  return {
    name: "clip_factor",
    key: "",
    bindings: [read("partial"), write("control")],
    uniforms: [u32("partials", partials), f32("scale", scale), f32("maxNorm", maxNorm)],
    grid: [1, 1, 1],
    body: () =>
      `var<workgroup> sums: array<f32, ${WORKGROUP}>;
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var j = lane; j < u.partials; j += ${WORKGROUP}u) { sum += partial[j]; }
  sums[lane] = sum;
  workgroupBarrier();
  for (var half = ${WORKGROUP / 2}u; half > 0u; half /= 2u) {
    if (lane < half) { sums[lane] += sums[lane + half]; }
    workgroupBarrier();
  }
  if (lane == 0u) {
    let norm = u.scale * sqrt(sums[0]);
    control[0] = u.scale * min(1.0, u.maxNorm / (norm + 1e-6));
    control[1] = norm;
  }
}`,
  };
}
