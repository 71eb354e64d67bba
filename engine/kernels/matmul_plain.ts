import type { Kernel } from "../kernel.ts";
import {
  matmulBindings,
  matmulKey,
  type MatmulProblem,
  matmulStore,
  matmulUniforms,
} from "./matmul.ts";
import { sumEnd } from "./matmul_loads.ts";

const SIDE = 8;
const SCALAR = { a: false, b: false, c: false };

/** Matrix product with one value per thread and no tricks: the reference that the fast variants are held against. */
export function matmulPlainKernel(problem: MatmulProblem): Kernel {
  const { M, N, batch, transposeA, transposeB, epilogue } = problem;
  return {
    name: "matmul_plain",
    key: matmulKey(problem, SCALAR),
    bindings: matmulBindings(epilogue, SCALAR),
    uniforms: matmulUniforms(problem, SCALAR),
    grid: [Math.ceil(N / SIDE), Math.ceil(M / SIDE), batch],
    body: () =>
      `${matmulStore(epilogue, false)}
@compute @workgroup_size(${SIDE}, ${SIDE})
fn main(@builtin(local_invocation_id) local: vec3u, @builtin(workgroup_id) workgroup: vec3u) {
  let row = workgroup.y * ${SIDE}u + local.y;
  let column = workgroup.x * ${SIDE}u + local.x;
  let i = min(row, u.M - 1u);
  let j = min(column, u.N - 1u);
  var sum = 0.0;
  let end = ${sumEnd(SCALAR)};
  for (var k = 0u; k < end; k++) {
    let x = a[workgroup.z * u.strideA + ${transposeA ? "k * u.M + i" : "i * u.K + k"}];
    let y = b[workgroup.z * u.strideB + ${transposeB ? "j * u.K + k" : "k * u.N + j"}];
    sum = fma(x, y, sum);
  }
  store_one(workgroup.z * u.strideC, row, column, sum);
}`,
  };
}
