import type { Kernel } from "../kernel.ts";
import {
  matmulBindings,
  matmulKey,
  type MatmulProblem,
  matmulStore,
  matmulUniforms,
} from "./matmul.ts";
import { matmulLoads, sumEnd, type VectorAccess, vectorAccess } from "./matmul_loads.ts";

/** Register tile of one thread. */
export interface DirectTile {
  /** Rows per thread. */
  readonly tileM: number;
  /** Columns per thread, a multiple of 4. */
  readonly tileN: number;
  /** Threads of a workgroup, side by side across the columns. @default {8} */
  readonly lanes?: number;
}

/**
 * Matrix product without workgroup memory or barriers: each thread keeps a tileM x tileN block of C in registers and walks K in steps of
 * four with vec4 loads. On software adapters a load costs as much as dozens of multiply-adds, so a big tile is what counts; lanes
 * own interleaved vec4 columns, which keeps the loads of a workgroup contiguous for GPUs too.
 */
export function matmulDirectKernel(problem: MatmulProblem, tile: DirectTile): Kernel {
  const vectors = vectorAccess(problem);
  const { tileM, tileN, lanes = 8 } = tile;
  return {
    name: "matmul_direct",
    key: `${matmulKey(problem, vectors)} ${tileM}x${tileN} ${lanes}`,
    bindings: matmulBindings(problem.epilogue, vectors),
    uniforms: matmulUniforms(problem, vectors),
    grid: [Math.ceil(problem.N / (lanes * tileN)), Math.ceil(problem.M / tileM), problem.batch],
    body: () => directBody(problem, { tileM, tileN, lanes }, vectors),
  };
}

function directBody(
  problem: MatmulProblem,
  { tileM, tileN, lanes }: Required<DirectTile>,
  vectors: VectorAccess,
): string {
  const { transposeA, transposeB, epilogue } = problem;
  const rows = range(tileM);
  const columns = range(tileN / 4);
  const steps = range(4);
  const component = "xyzw";
  const column = (j: number) => `column + ${j * lanes * 4}u`;
  const before: string[] = [];
  const inside: string[] = [];
  const after: string[] = [];

  // A stored along k gives four k of one row per load; stored across, four rows of one k.
  for (const i of transposeA ? range(Math.ceil(tileM / 4)) : rows) {
    before.push(`let base_a${i} = base_a(offset_a, row + ${transposeA ? 4 * i : i}u);`);
    if (!transposeA) inside.push(`let a${i} = load_a(base_a${i}, k);`);
    else steps.forEach((q) => inside.push(`let a${i}_${q} = load_a(base_a${i}, k + ${q}u);`));
  }
  const a = (i: number, q: number) =>
    transposeA ? `a${i >> 2}_${q}.${component[i & 3]}` : `a${i}.${component[q]}`;

  for (const j of columns) {
    if (transposeB) {
      for (const n of steps) {
        before.push(`let base_b${j}_${n} = base_b(offset_b, ${column(j)} + ${n}u);`);
        inside.push(`let t${j}_${n} = load_b(base_b${j}_${n}, k);`);
      }
    } else before.push(`let base_b${j} = base_b(offset_b, ${column(j)});`);
    for (const q of steps) {
      const lanesOfB = steps.map((n) => `t${j}_${n}.${component[q]}`).join(", ");
      inside.push(
        `let b${j}_${q} = ` +
          (transposeB ? `vec4f(${lanesOfB});` : `load_b(base_b${j}, k + ${q}u);`),
      );
      for (const i of rows) {
        inside.push(`c${i}_${j} = fma(vec4f(${a(i, q)}), b${j}_${q}, c${i}_${j});`);
      }
    }
    for (const i of rows) {
      before.push(`var c${i}_${j} = vec4f();`);
      after.push(`store(offset_c, row + ${i}u, ${column(j)}, c${i}_${j});`);
    }
  }
  return `${matmulLoads(problem, vectors)}${matmulStore(epilogue, vectors.c)}
@compute @workgroup_size(${lanes})
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let row = workgroup.y * ${tileM}u;
  let column = workgroup.x * ${lanes * tileN}u + lane * 4u;
  let offset_a = workgroup.z * u.strideA;
  let offset_b = workgroup.z * u.strideB;
  let offset_c = workgroup.z * u.strideC;
  ${before.join("\n  ")}
  let end = ${sumEnd(vectors)};
  for (var k = 0u; k < end; k += 4u) {
    ${inside.join("\n    ")}
  }
  ${after.join("\n  ")}
}`;
}

function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}
