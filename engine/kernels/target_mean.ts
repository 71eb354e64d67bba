import { type Kernel, read, u32, type Uniform, write } from "../kernel.ts";

/** One workgroup does the whole reduction, in a fixed order; a list of targets is short. */
const THREADS = 64;

/** weight [1] = 1 / (number of targets that are not `ignoreIndex`), or 0 when there are none. */
export function targetWeightKernel(count: number, ignoreIndex: number): Kernel {
  return {
    name: "target_weight",
    key: "",
    bindings: [read("targets", "i32"), write("weight")],
    uniforms: [u32("count", count), ignoreUniform(ignoreIndex)],
    grid: [1, 1, 1],
    body: () =>
      reduction(
        "u32",
        "select(1u, 0u, targets[k] == u.ignoreIndex)",
        "weight[0] = select(1.0 / f32(shared_[0]), 0.0, shared_[0] == 0u);",
      ),
  };
}

/** mean [1] = weight * sum of losses [count]. */
export function weightedSumKernel(count: number): Kernel {
  return {
    name: "weighted_sum",
    key: "",
    bindings: [read("losses"), read("weight"), write("mean")],
    uniforms: [u32("count", count)],
    grid: [1, 1, 1],
    body: () => reduction("f32", "losses[k]", "mean[0] = shared_[0] * weight[0];"),
  };
}

function ignoreUniform(value: number): Uniform {
  return { name: "ignoreIndex", type: "i32", value };
}

function reduction(T: "u32" | "f32", term: string, store: string): string {
  return `var<workgroup> shared_: array<${T}, ${THREADS}>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = ${T}();
  for (var k = lane; k < u.count; k += ${THREADS}u) { sum += ${term}; }
  shared_[lane] = sum;
  workgroupBarrier();
  for (var half = ${THREADS / 2}u; half > 0u; half /= 2u) {
    if (lane < half) { shared_[lane] += shared_[lane + half]; }
    workgroupBarrier();
  }
  if (lane == 0u) { ${store} }
}`;
}
