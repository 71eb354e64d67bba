import type { Kernel } from "../kernel.ts";
import {
  isVectorizable,
  matmulBindings,
  matmulKey,
  matmulLoads,
  type MatmulProblem,
  matmulStore,
  matmulUniforms,
} from "./matmul.ts";

/** Register tile of one thread. */
export interface DirectTile {
  /** Rows per thread. */
  readonly tileM: number;
  /** Columns per thread, a multiple of 4. */
  readonly tileN: number;
}

const LANES = 8;

/**
 * Matrix product without workgroup memory or barriers: each thread keeps a tileM x tileN block of C in registers and walks K in steps of
 * four with vec4 loads. On software adapters a load costs as much as dozens of multiply-adds, so a big tile is what counts; lanes
 * own interleaved vec4 columns, which keeps the loads of a workgroup contiguous for GPUs too.
 */
export function matmulDirectKernel(problem: MatmulProblem, tile: DirectTile): Kernel {
  const vector = isVectorizable(problem);
  const { tileM, tileN } = tile;
  return {
    name: "matmul_direct",
    key: `${matmulKey(problem, vector)} ${tileM}x${tileN}`,
    bindings: matmulBindings(problem.epilogue, vector),
    uniforms: matmulUniforms(problem, vector),
    grid: [Math.ceil(problem.N / (LANES * tileN)), Math.ceil(problem.M / tileM), problem.batch],
    body: () => directBody(problem, tile, vector),
  };
}

function directBody(problem: MatmulProblem, { tileM, tileN }: DirectTile, vector: boolean): string {
  const { transposeA, transposeB, epilogue } = problem;
  const rows = range(tileM);
  const columns = range(tileN / 4);
  const component = "xyzw";
  const lines: string[] = [];
  // A stored along k gives four k of one row per load; stored across, four rows of one k.
  if (!transposeA) rows.forEach((i) => lines.push(`let a${i} = load_a(offsetA, row + ${i}u, k);`));
  else {
    for (const q of range(4)) {
      for (const g of range(Math.ceil(tileM / 4))) {
        lines.push(`let a${g}_${q} = load_a(offsetA, row + ${4 * g}u, k + ${q}u);`);
      }
    }
  }
  const a = (i: number, q: number) =>
    transposeA ? `a${i >> 2}_${q}.${component[i & 3]}` : `a${i}.${component[q]}`;
  for (const j of columns) {
    const column = `column + ${j * LANES * 4}u`;
    if (transposeB) {
      for (const n of range(4)) {
        lines.push(`let t${j}_${n} = load_b(offsetB, ${column} + ${n}u, k);`);
      }
    }
    for (const q of range(4)) {
      lines.push(
        transposeB
          ? `let b${j}_${q} = vec4f(${
            range(4).map((n) => `t${j}_${n}.${component[q]}`).join(", ")
          });`
          : `let b${j}_${q} = load_b(offsetB, ${column}, k + ${q}u);`,
      );
      for (const i of rows) {
        lines.push(`c${i}_${j} = fma(vec4f(${a(i, q)}), b${j}_${q}, c${i}_${j});`);
      }
    }
  }
  const declare = rows.flatMap((i) => columns.map((j) => `var c${i}_${j} = vec4f();`));
  const store = rows.flatMap((i) =>
    columns.map((j) => `store(offsetC, row + ${i}u, column + ${j * LANES * 4}u, c${i}_${j});`)
  );
  return `${matmulLoads(problem, vector)}
${matmulStore(epilogue, vector)}
@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let row = workgroup.y * ${tileM}u;
  let column = workgroup.x * ${LANES * tileN}u + lane * 4u;
  let offsetA = workgroup.z * u.strideA;
  let offsetB = workgroup.z * u.strideB;
  let offsetC = workgroup.z * u.strideC;
  ${declare.join(" ")}
  for (var k = 0u; k < u.K; k += 4u) {
    ${lines.join("\n    ")}
  }
  ${store.join("\n  ")}
}`;
}

function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}
