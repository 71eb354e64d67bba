/**
 * Forward pass of softmax attention with online softmax (Milakov and Gimelshein 2018; tiled as in FlashAttention, Dao et al. 2022):
 * O = softmax(scale Q K^T) V without the [T, T] matrix.
 *
 * Work: one workgroup per block of query rows, head and batch entry; causal blocks with most keys start first. Saved for backward:
 * the log of each row's sum of exponentials. Check: `deno test -A tests/attention/softmax/`.
 */
import { type Kernel, loopEnd, read, write } from "../../engine/mod.ts";
import {
  type AttentionProblem,
  dropoutFunctions,
  headStart,
  loadFunction,
  pairRules,
  problemKey,
  problemUniforms,
  range,
  rowType,
  storeFunction,
  vectorsPerRow,
} from "./kernels_problem.ts";
import { declareRow, finishRow, keyStep, storeRows } from "./kernels_rows.ts";
import { combineSplits, stagedShape, stageTile, staging } from "./kernels_staged.ts";
import { type AttentionVariant, DIRECT_THREADS, STAGED_SPLITS, variantName } from "./variants.ts";

/** Bindings: q, k, v, [keyMask], o, lse [B, H, Tq]. */
export function forwardKernel(problem: AttentionProblem, variant: AttentionVariant): Kernel {
  const { B, H, Tq, d, masked } = problem;
  const type = rowType(d);
  const rows = variant.family === "direct" ? variant.rows * DIRECT_THREADS : variant.rows;
  return {
    name: `fused_attention_fwd_${variant.family}`,
    key: `${problemKey(problem)} ${variantName(variant)}`,
    bindings: [
      read("q", type),
      read("k", type),
      read("v", type),
      ...(masked ? [read("keyMask", "i32")] : []),
      write("o", type),
      write("lse"),
    ],
    uniforms: problemUniforms(problem),
    grid: [Math.ceil(Tq / rows), H, B],
    body: () =>
      [
        ...["q", "k", "v"].map((name) => loadFunction(name, d)),
        storeFunction("o", d),
        dropoutFunctions(problem),
        variant.family === "direct"
          ? directBody(problem, variant.rows)
          : stagedBody(problem, variant.rows),
      ].join("\n"),
  };
}

/**
 * Which rows a workgroup owns and the end of the keys they can see; both are uniform over the workgroup. Also used by the dQ pass.
 */
export function queryBlock(problem: AttentionProblem, rows: number): string {
  const block = problem.causal ? "(groups.x - 1u - group.x)" : "group.x";
  const end = problem.causal
    ? `u32(clamp(i32(min(first + ${rows}u, u.Tq)) + u.shift, 0, i32(u.Tk)))`
    : loopEnd("u.Tk", "k");
  return `let first = ${block} * ${rows}u;
let end = ${end};`;
}

function directBody(problem: AttentionProblem, R: number): string {
  const C = vectorsPerRow(problem.d);
  return `${headStart(problem, DIRECT_THREADS)}
${queryBlock(problem, R * DIRECT_THREADS)}
${range(R).map((i) => declareRow(C, i, `first + ${i * DIRECT_THREADS}u + lane`)).join("\n")}
for (var j = 0u; j < end; j++) {
let kAt = kBase + j * u.kRow;
let vAt = vBase + j * u.kRow;
${keyStep(pairRules(problem), C, R, (c) => `load_k(kAt, ${c}u)`, (c) => `load_v(vAt, ${c}u)`)}
}
${storeRows(C, R)}
}`;
}

function stagedBody(problem: AttentionProblem, rows: number): string {
  const shape = stagedShape(problem.d, rows);
  const { C, tileRows, threads } = shape;
  return `${staging(shape)}
${headStart(problem, threads)}
${queryBlock(problem, rows)}
let split = lane % ${STAGED_SPLITS}u;
${declareRow(C, 0, `first + lane / ${STAGED_SPLITS}u`)}
for (var start = 0u; start < end; start += ${tileRows}u) {
${
    stageTile(
      shape,
      "u.Tk",
      ["load_k(kBase + j * u.kRow, c)", "load_v(vBase + j * u.kRow, c)"],
    )
  }
for (var t = split; t < min(${tileRows}u, end - start); t += ${STAGED_SPLITS}u) {
let j = start + t;
${
    keyStep(
      pairRules(problem),
      C,
      1,
      (c) => `tile[${c * tileRows}u + t]`,
      (c) => `tile[${(C + c) * tileRows}u + t]`,
    )
  }
}
}
// The threads of a row saw different keys: bring them to a common maximum, then add.
workgroupBarrier();
tile[lane] = vec4f(m0, l0, 0.0, 0.0);
workgroupBarrier();
let rowLane = lane - split;
var m = -1e29;
for (var n = 0u; n < ${STAGED_SPLITS}u; n++) { m = max(m, tile[rowLane + n].x); }
var l = 0.0;
for (var n = 0u; n < ${STAGED_SPLITS}u; n++) {
  l += tile[rowLane + n].y * exp(tile[rowLane + n].x - m);
}
${finishRow(0, "m", "l")}
let factor = exp(m0 - m) * inverse0;
${range(C).map((c) => `o0_${c} *= factor;`).join("\n")}
if (split == 0u && row0 < u.Tq) { lse[statistics + row0] = lse0; }
${
    combineSplits(
      shape,
      (c) => `o0_${c}`,
      (c, sum) => `if (row0 < u.Tq) { store_o(oBase + row0 * oRow, ${c}, ${sum}); }`,
    )
  }
}`;
}
