/**
 * The global positions: G rows and columns of the attention matrix that are seen from, and see, all N positions. Each is one long
 * reduction, so the positions are split into parts, a thread each, and a second kernel adds the parts in order.
 *
 * In the causal form a global attends to nothing: its output is its own query (lsg.md, section 1.8), its key still serves all text.
 * Check: `deno test -A tests/attention/`.
 */
import { type Kernel, loopEnd, read, write } from "../../engine/mod.ts";
import {
  dropoutFunctions,
  type GradientOffsets,
  headStart,
  loadFunction,
  range,
  rowType,
  storeFunction,
  vectorsPerRow,
} from "../softmax/kernels_problem.ts";
import {
  declareKeyRow,
  declareQueryRow,
  declareRow,
  finishRow,
  keyGradientStep,
  keyStep,
  queryGradientStep,
} from "../softmax/kernels_rows.ts";
import {
  keyVisible,
  loadPacked,
  sparseBindings,
  sparseKey,
  type SparseProblem,
  sparseUniforms,
  visiblePairs,
} from "./problem.ts";
import type { SparseVariant } from "./variant.ts";

/** What the kernels read of the sequence. */
export const GLOBAL_READS = { mask: true };

/** Positions per part, about, and the most parts there are. */
const PART_LENGTH = 64;
const MAX_PARTS = 64;

/** Globals and parts of a head, at most: many globals need no splitting to keep a GPU busy, and every part takes memory. */
const MAX_THREADS = 512;

/** Parts that the positions are split into for each of the globals. */
export function globalParts({ Tk: N, pattern: { globals } }: SparseProblem): number {
  const wanted = Math.min(MAX_PARTS, Math.ceil(N / PART_LENGTH));
  return Math.max(1, Math.min(wanted, Math.floor(MAX_THREADS / globals)));
}

/** vec4 of one partial result: of the output (maximum and sum in one more), and of the gradients of q, k and v. */
export const outputPartSize = (d: number): number => 1 + vectorsPerRow(d);
export const gradientPartSize = (d: number): number => 3 * vectorsPerRow(d);

const partGrid = (problem: SparseProblem, { threads }: SparseVariant) =>
  [
    Math.ceil(problem.pattern.globals * globalParts(problem) / threads),
    problem.H,
    problem.B,
  ] as const;

/** Opening of a kernel with a thread per global and part; part p takes positions p, p + parts, ... */
const partStart = (problem: SparseProblem, { threads }: SparseVariant, size: number) =>
  `${headStart(problem, threads)}
let thread = group.x * ${threads}u + lane;
if (thread >= u.globals * u.parts) { return; }
let g = thread / u.parts;
let part = thread % u.parts;
let partAt = (batchHead * u.globals * u.parts + thread) * ${size}u;
let positions = ${loopEnd("u.Tk", "qkv")};`;

/** Partial outputs [B, H, G, parts, 1 + C] of the globals. Bindings: qkv, [keyMask], partial. */
export function globalPartKernel(problem: SparseProblem, variant: SparseVariant): Kernel {
  const { d } = problem;
  const C = vectorsPerRow(d);
  const rules = visiblePairs(problem, () => "visible", false);
  return {
    name: "block_sparse_global_part",
    key: sparseKey(problem, variant),
    bindings: [...sparseBindings(problem, GLOBAL_READS), write("partial", "vec4f")],
    uniforms: sparseUniforms(problem, variant, undefined, globalParts(problem)),
    grid: partGrid(problem, variant),
    body: () =>
      `${loadPacked(d)}
${dropoutFunctions(problem, "u.columns")}
${partStart(problem, variant, outputPartSize(d))}
${declareRow(C, 0, "g", "u.globals")}
for (var j = part; j < positions; j += u.parts) {
let visible = ${keyVisible(problem, "j")};
let kAt = kBase + j * u.kRow;
let vAt = vBase + j * u.kRow;
${keyStep(rules, C, 1, (c) => `load_k(kAt, ${c}u)`, (c) => `load_v(vAt, ${c}u)`)}
}
partial[partAt] = vec4f(m0, l0, 0.0, 0.0);
${range(C).map((c) => `partial[partAt + ${c + 1}u] = o0_${c};`).join("\n")}
}`,
  };
}

/** Output rows and log-sums of the globals from their parts. Bindings: partial, o, lse. A thread per global. */
export function globalCombineKernel(problem: SparseProblem, variant: SparseVariant): Kernel {
  const { B, H, d, pattern } = problem;
  const C = vectorsPerRow(d);
  return {
    name: "block_sparse_global_combine",
    key: sparseKey(problem, variant),
    bindings: [read("partial", "vec4f"), write("o", rowType(d)), write("lse")],
    uniforms: sparseUniforms(problem, variant, undefined, globalParts(problem)),
    grid: [Math.ceil(pattern.globals / variant.threads), H, B],
    body: () =>
      `${storeFunction("o", d)}
${headStart(problem, variant.threads)}
let g = group.x * ${variant.threads}u + lane;
if (g >= u.globals) { return; }
let parts = ${loopEnd("u.parts", "partial")};
let start = (batchHead * u.globals + g) * u.parts;
var m = -1e29;
for (var part = 0u; part < parts; part++) {
  m = max(m, partial[(start + part) * ${outputPartSize(d)}u].x);
}
var l = 0.0;
${range(C).map((c) => `var o_${c} = vec4f();`).join("\n")}
for (var part = 0u; part < parts; part++) {
  let at = (start + part) * ${outputPartSize(d)}u;
  let factor = exp(partial[at].x - m);
  l = fma(partial[at].y, factor, l);
  ${range(C).map((c) => `o_${c} = fma(vec4f(factor), partial[at + ${c + 1}u], o_${c});`).join("\n")}
}
${finishRow(0, "m", "l")}
lse[statistics + g] = lse0;
${range(C).map((c) => `store_o(oBase + g * oRow, ${c}u, o_${c} * inverse0);`).join("\n")}
}`,
  };
}

/** Causal: the output of a global is its query. Bindings: qkv, o, lse. A thread per global. */
export function globalCopyKernel(problem: SparseProblem, variant: SparseVariant): Kernel {
  const { B, H, d, pattern } = problem;
  const C = vectorsPerRow(d);
  return {
    name: "block_sparse_global_copy",
    key: sparseKey(problem, variant),
    bindings: [...sparseBindings(problem, {}), write("o", rowType(d)), write("lse")],
    uniforms: sparseUniforms(problem, variant),
    grid: [Math.ceil(pattern.globals / variant.threads), H, B],
    body: () =>
      `${loadPacked(d)}
${storeFunction("o", d)}
${headStart(problem, variant.threads)}
let g = group.x * ${variant.threads}u + lane;
if (g >= u.globals) { return; }
// So high that no pass finds a probability in this row.
lse[statistics + g] = 1e30;
let at = qBase + g * u.qRow;
${range(C).map((c) => `store_o(oBase + g * oRow, ${c}u, load_q(at, ${c}u));`).join("\n")}
}`,
  };
}

/**
 * Partial gradients [B, H, G, parts, 3 C] of the globals: dq from the positions of a part as keys, dk and dv from the same positions as
 * queries. Bindings: qkv, [keyMask], dOutput, lse, rowDot, partial.
 */
export function globalGradientPartKernel(problem: SparseProblem, variant: SparseVariant): Kernel {
  const { d, pattern } = problem;
  const C = vectorsPerRow(d);
  const type = rowType(d);
  const asQuery = `{
${declareQueryRow(C, 0, "g", "u.globals")}
for (var j = part; j < positions; j += u.parts) {
let visible = ${keyVisible(problem, "j")};
let kAt = kBase + j * u.kRow;
let vAt = vBase + j * u.kRow;
${
    queryGradientStep(
      visiblePairs(problem, () => "visible", false),
      C,
      1,
      (c) => `load_k(kAt, ${c}u)`,
      (c) => `load_v(vAt, ${c}u)`,
    )
  }
}
${range(C).map((c) => `partial[partAt + ${c}u] = dq0_${c} * u.scale;`).join("\n")}
}`;
  const own = range(C).map((c) =>
    `partial[partAt + ${c}u] = select(vec4f(), load_dOutput(oBase + g * oRow, ${c}u), part == 0u);`
  ).join("\n");
  return {
    name: "block_sparse_bwd_global_part",
    key: sparseKey(problem, variant),
    bindings: [
      ...sparseBindings(problem, GLOBAL_READS),
      read("dOutput", type),
      read("lse"),
      read("rowDot"),
      write("partial", "vec4f"),
    ],
    uniforms: sparseUniforms(problem, variant, undefined, globalParts(problem)),
    grid: partGrid(problem, variant),
    body: () =>
      `${loadPacked(d)}
${loadFunction("dOutput", d)}
${dropoutFunctions(problem, "u.columns")}
${partStart(problem, variant, gradientPartSize(d))}
${pattern.causal ? own : asQuery}
{
${declareKeyRow(C, 0, "g", "u.globals")}
let visible = ${keyVisible(problem, "g")};
for (var i = part; i < positions; i += u.parts) {
let qAt = qBase + i * u.qRow;
let gAt = oBase + i * oRow;
${
        keyGradientStep(
          visiblePairs(problem, () => "visible", false),
          C,
          1,
          (c) => `load_q(qAt, ${c}u)`,
          (c) => `load_dOutput(gAt, ${c}u)`,
        )
      }
}
${
        range(C).map((c) =>
          `partial[partAt + ${C + c}u] = dk0_${c} * u.scale; partial[partAt + ${
            2 * C + c
          }u] = dv0_${c};`
        ).join("\n")
      }
}
}`,
  };
}

/** Writes dq, dk and dv of the globals. Bindings: partial, gradient. A thread per global and vec4. */
export function globalGradientCombineKernel(
  problem: SparseProblem,
  variant: SparseVariant,
  offsets: GradientOffsets,
): Kernel {
  const { B, H, d, pattern } = problem;
  const C = vectorsPerRow(d);
  const size = gradientPartSize(d);
  return {
    name: "block_sparse_bwd_global_combine",
    key: sparseKey(problem, variant),
    bindings: [read("partial", "vec4f"), write("gradient", rowType(d))],
    uniforms: sparseUniforms(problem, variant, offsets, globalParts(problem)),
    grid: [Math.ceil(pattern.globals * size / variant.threads), H, B],
    body: () =>
      `${storeFunction("gradient", d)}
${headStart(problem, variant.threads)}
let thread = group.x * ${variant.threads}u + lane;
if (thread >= u.globals * ${size}u) { return; }
let g = thread / ${size}u;
let c = thread % ${size}u;
let start = (batchHead * u.globals + g) * u.parts;
var sum = vec4f();
let parts = ${loopEnd("u.parts", "partial")};
for (var part = 0u; part < parts; part++) { sum += partial[(start + part) * ${size}u + c]; }
let qAt = qBase - u.qOffset + u.dqOffset + g * u.qRow;
let kAt = kBase - u.kOffset + u.dkOffset + g * u.kRow;
let vAt = vBase - u.vOffset + u.dvOffset + g * u.kRow;
store_gradient(select(select(vAt, kAt, c < ${2 * C}u), qAt, c < ${C}u), c % ${C}u, sum);
}`,
  };
}
