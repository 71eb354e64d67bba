import type { Kernel } from "../kernel.ts";
import {
  matmulBindings,
  matmulKey,
  type MatmulProblem,
  matmulStore,
  matmulUniforms,
} from "./matmul.ts";
import { matmulLoads, sumEnd, type VectorAccess, vectorAccess } from "./matmul_loads.ts";

/** Block of C that one workgroup makes; every thread has four columns of it. */
export interface StagedTile {
  /** Rows of the block, a multiple of 4 * rowGroups. */
  readonly blockM: number;
  /** Columns of the block, a multiple of 4. */
  readonly blockN: number;
  /** Rows per thread, 4 or 8. */
  readonly threadM: 4 | 8;
}

/** k values held in workgroup memory at a time. */
const STEP = 16;

/**
 * Matrix product for GPUs: a workgroup brings STEP columns of A and rows of B into workgroup memory, both laid out with k outermost
 * so that a thread reads its four rows and its four columns as one vec4 each, whichever way the operands are stored. The next step's values
 * are fetched into registers while the present one is used.
 *
 * 64 x 64 and 128 x 64 blocks have 256 threads and 8.5 or 12.5 KiB of workgroup memory, within WebGPU's default limits.
 */
export function matmulStagedKernel(problem: MatmulProblem, tile: StagedTile): Kernel {
  const vectors = vectorAccess(problem);
  const { blockM, blockN, threadM } = tile;
  return {
    name: "matmul_staged",
    key: `${matmulKey(problem, vectors)} ${blockM}x${blockN} ${threadM}`,
    bindings: matmulBindings(problem.epilogue, vectors),
    uniforms: matmulUniforms(problem, vectors),
    grid: [Math.ceil(problem.N / blockN), Math.ceil(problem.M / blockM), problem.batch],
    body: () => stagedBody(problem, tile, vectors),
  };
}

function stagedBody(
  problem: MatmulProblem,
  { blockM, blockN, threadM }: StagedTile,
  vectors: VectorAccess,
): string {
  const groups = range(threadM / 4);
  const threadsAcross = blockN / 4;
  const threads = threadsAcross * blockM / threadM;
  const a = stage("a", blockM, !problem.transposeA, threads, 0);
  // The other half of the threads starts with B when a quarter of them is enough for each operand.
  const b = stage("b", blockN, problem.transposeB, threads, threads / 2);
  const rows = range(threadM);
  const declare = rows.map((i) => `var c${i} = vec4f();`);
  const multiply = rows.map((i) => `c${i} = fma(vec4f(x${i >> 2}.${"xyzw"[i & 3]}), y, c${i});`);
  const rowOf = (i: number) => `row + ${(i >> 2) * (blockM / groups.length) + (i & 3)}u`;
  return `${matmulLoads(problem, vectors)}${matmulStore(problem.epilogue, vectors.c)}
var<workgroup> tile_a: array<vec4f, ${STEP * a.pitch}>;
var<workgroup> tile_b: array<vec4f, ${STEP * b.pitch}>;
@compute @workgroup_size(${threads})
fn main(@builtin(local_invocation_index) thread: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let across = thread % ${threadsAcross}u;
  let down = thread / ${threadsAcross}u;
  let first_a = workgroup.y * ${blockM}u;
  let first_b = workgroup.x * ${blockN}u;
  let offset_a = workgroup.z * u.strideA;
  let offset_b = workgroup.z * u.strideB;
  ${declare.join(" ")}
  ${a.declare}
  ${b.declare}
  ${a.fetch("0u")}
  ${b.fetch("0u")}
  let end = ${sumEnd(vectors)};
  for (var k = 0u; k < end; k += ${STEP}u) {
    ${a.put}
    ${b.put}
    workgroupBarrier();
    ${a.fetch(`(k + ${STEP}u)`)}
    ${b.fetch(`(k + ${STEP}u)`)}
    for (var q = 0u; q < ${STEP}u; q++) {
      let y = tile_b[q * ${b.pitch}u + across];
      ${
    groups.map((g) =>
      `let x${g} = tile_a[q * ${a.pitch}u + down + ${g * (blockM / 4 / groups.length)}u];`
    ).join(" ")
  }
      ${multiply.join("\n      ")}
    }
    workgroupBarrier();
  }
  let row = first_a + down * 4u;
  let column = first_b + across * 4u;
  let offset_c = workgroup.z * u.strideC;
  ${rows.map((i) => `store(offset_c, ${rowOf(i)}, column, c${i});`).join("\n  ")}
}`;
}

/** WGSL that moves one operand's share of a step from its buffer to registers (`fetch`) and on to workgroup memory (`put`). */
interface Stage {
  /** vec4s between two k in workgroup memory; one more than needed, to spread the banks. */
  readonly pitch: number;
  readonly declare: string;
  readonly fetch: (k: string) => string;
  readonly put: string;
}

/**
 * Stored across k, an item is one vec4 that is put as it is. Stored along k, an item is a block of four lines by four k, which is
 * transposed on its way. Threads beyond the number of items do nothing; `skew` says which thread has the first item.
 */
function stage(
  name: "a" | "b",
  block: number,
  alongK: boolean,
  threads: number,
  skew: number,
): Stage {
  const lineGroups = block / 4;
  const pitch = lineGroups + 1;
  const items = alongK ? lineGroups * (STEP / 4) : lineGroups * STEP;
  const rounds = Math.ceil(items / threads);
  const parts = range(rounds).map((r) => {
    const id = `${name}${r}`;
    const item = `item_${id}`;
    const guard = items % threads === 0 ? "" : `if (${item} < ${items}u) `;
    const order = skew > 0 && guard ? `(thread + ${skew}u) % ${threads}u` : "thread";
    const start = `let ${item} = ${order} + ${r * threads}u;`;
    const inside = (k: string, value: string) => `select(vec4f(), ${value}, ${k} < u.K)`;
    if (!alongK) {
      const k = `${item} / ${lineGroups}u`;
      return {
        declare:
          `${start} let base_${id} = base_${name}(offset_${name}, first_${name} + (${item} % ${lineGroups}u) * 4u); var f_${id} = vec4f();`,
        fetch: (from: string) =>
          `${guard}{ let at = ${from} + ${k}; f_${id} = ${
            inside("at", `load_${name}(base_${id}, min(at, u.K - 1u))`)
          }; }`,
        put: `${guard}{ tile_${name}[(${k}) * ${pitch}u + ${item} % ${lineGroups}u] = f_${id}; }`,
      };
    }
    const four = range(4);
    const k = `(${item} % ${STEP / 4}u) * 4u`;
    const line = `${item} / ${STEP / 4}u`;
    return {
      declare: start +
        four.map((n) =>
          ` let base_${id}_${n} = base_${name}(offset_${name}, first_${name} + ${line} * 4u + ${n}u); var f_${id}_${n} = vec4f();`
        ).join(""),
      fetch: (from: string) =>
        `${guard}{ let at = ${from} + ${k}; let from_k = min(at, (u.K - 1u) / 4u * 4u); ${
          four.map((n) =>
            `f_${id}_${n} = ${inside("at", `load_${name}(base_${id}_${n}, from_k)`)};`
          ).join(" ")
        } }`,
      put: `${guard}{ let to = (${k}) * ${pitch}u + ${line}; ${
        four.map((q) =>
          `tile_${name}[to + ${q * pitch}u] = vec4f(${
            four.map((n) => `f_${id}_${n}.${"xyzw"[q]}`).join(", ")
          });`
        ).join(" ")
      } }`,
    };
  });
  return {
    pitch,
    declare: parts.map((p) => p.declare).join("\n  "),
    fetch: (k) => parts.map((p) => p.fetch(k)).join("\n    "),
    put: parts.map((p) => p.put).join("\n    "),
  };
}

function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}
