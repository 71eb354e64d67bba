/**
 * Forward pass of softmax attention with online softmax (Milakov and Gimelshein 2018; tiled as in FlashAttention, Dao et al. 2022):
 * O = softmax(scale Q K^T) V without the [T, T] matrix.
 *
 * Work: one workgroup per block of query rows, head and batch entry; causal blocks with most keys start first. Saved for backward:
 * the log of each row's sum of exponentials. Check: `deno test -A tests/attention/softmax/`.
 */
import { type Kernel, loopEnd, read, write } from "../../engine/mod.ts";
import {
  allowed,
  type AttentionProblem,
  dot,
  dropoutFunctions,
  headStart,
  loadFunction,
  problemKey,
  problemUniforms,
  range,
  rowType,
  storeFunction,
  vectorsPerRow,
} from "./kernels_problem.ts";
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

/** Scaled query, accumulator and running maximum and sum of row i. A row past the end repeats the last one and is not stored. */
function declareRow(C: number, i: number, row: string): string {
  return [
    `let row${i} = ${row};`,
    `let i${i} = min(row${i}, u.Tq - 1u);`,
    // Above the -1e30 of a forbidden key, so that its exponential is 0 even before any allowed key was seen.
    `var m${i} = -1e29;`,
    `var l${i} = 0.0;`,
    ...range(C).map((c) =>
      `let q${i}_${c} = load_q(qBase + i${i} * u.qRow, ${c}u) * u.scale; var o${i}_${c} = vec4f();`
    ),
  ].join("\n");
}

/** One key `j` for all R rows of the thread; `key` and `value` give vec4 number c of its rows. */
function keyStep(
  problem: AttentionProblem,
  R: number,
  key: (c: number) => string,
  value: (c: number) => string,
): string {
  const C = vectorsPerRow(problem.d);
  const lines = range(C).map((c) => `let k_${c} = ${key(c)};`);
  for (const i of range(R)) {
    lines.push(
      dot(`dot${i}`, C, (c) => `q${i}_${c}`, (c) => `k_${c}`),
      `let s${i} = select(-1e30, dot${i}, ${allowed(problem, `i${i}`, "j")});`,
      `let max${i} = max(m${i}, s${i});`,
      `let shrink${i} = exp(m${i} - max${i});`,
      `let p${i} = exp(s${i} - max${i});`,
      `m${i} = max${i};`,
      `l${i} = fma(l${i}, shrink${i}, p${i});`,
      `let w${i} = vec4f(p${i}${problem.dropout ? ` * kept(i${i}, j, batchHead)` : ""});`,
    );
  }
  for (const c of range(C)) {
    lines.push(`let v_${c} = ${value(c)};`);
    for (const i of range(R)) {
      lines.push(`o${i}_${c} = fma(w${i}, v_${c}, o${i}_${c} * shrink${i});`);
    }
  }
  return lines.join("\n");
}

/** A row without any allowed key has l = 0: its output is 0 and its lse so high that backward finds no probability either. */
const finishRow = (i: number, m: string, l: string) =>
  `let inverse${i} = select(0.0, 1.0 / ${l}, ${l} > 0.0);
let lse${i} = select(1e30, ${m} + log(max(${l}, 1e-30)), ${l} > 0.0);`;

function directBody(problem: AttentionProblem, R: number): string {
  const C = vectorsPerRow(problem.d);
  return `${headStart(problem, DIRECT_THREADS)}
${queryBlock(problem, R * DIRECT_THREADS)}
${range(R).map((i) => declareRow(C, i, `first + ${i * DIRECT_THREADS}u + lane`)).join("\n")}
for (var j = 0u; j < end; j++) {
let kAt = kBase + j * u.kRow;
let vAt = vBase + j * u.kRow;
${keyStep(problem, R, (c) => `load_k(kAt, ${c}u)`, (c) => `load_v(vAt, ${c}u)`)}
}
${
    range(R).map((i) =>
      `${finishRow(i, `m${i}`, `l${i}`)}
if (row${i} < u.Tq) {
lse[statistics + row${i}] = lse${i};
${
        range(C).map((c) => `store_o(oBase + row${i} * oRow, ${c}u, o${i}_${c} * inverse${i});`)
          .join("\n")
      }
}`
    ).join("\n")
  }
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
      problem,
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
