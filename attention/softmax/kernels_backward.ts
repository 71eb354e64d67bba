/**
 * Backward pass of softmax attention. Probabilities are recomputed from the saved log-sum-exp (Dao et al. 2022): with
 * D = rowsum(dO * O), P = exp(S - lse) and dP = dO V^T,
 *
 *   dS = P * (dP - D),  dQ = scale dS K,  dK = scale dS^T Q,  dV = P^T dO.
 *
 * Work: one pass per block of query rows for dQ and one per block of key rows for dK and dV, so each output has one owner: no atomics,
 * a fixed order. Check: `deno test -A tests/attention/softmax/`.
 */
import {
  type Binding,
  type Kernel,
  linearGrid,
  linearMain,
  loopEnd,
  read,
  write,
} from "../../engine/mod.ts";
import { queryBlock } from "./kernels_forward.ts";
import {
  type AttentionProblem,
  dropoutFunctions,
  type GradientOffsets,
  headStart,
  loadFunction,
  pairRules,
  problemKey,
  problemUniforms,
  range,
  rowType,
  rowUnits,
  storeFunction,
  vectorsPerRow,
} from "./kernels_problem.ts";
import {
  declareKeyRow,
  declareQueryRow,
  keyGradientAt,
  keyGradientStep,
  queryGradientStep,
  storeKeyGradients,
  storeQueryGradients,
} from "./kernels_rows.ts";
import { combineSplits, stagedShape, stageTile, staging } from "./kernels_staged.ts";
import { type AttentionVariant, DIRECT_THREADS, STAGED_SPLITS, variantName } from "./variants.ts";

const ROW_DOT_WORKGROUP = 64;

/** D [B, H, Tq] = rowsum(dO * O), both [B, Tq, H, d]. Bindings: o, dOutput, rowDot. A thread per row. */
export function rowDotKernel({ B, H, Tq, d }: AttentionProblem): Kernel {
  const C = vectorsPerRow(d);
  const type = rowType(d);
  const u32 = (name: string, value: number) => ({ name, type: "u32" as const, value });
  return {
    name: "fused_attention_bwd_row_dot",
    key: `d${d}`,
    bindings: [read("o", type), read("dOutput", type), write("rowDot")],
    uniforms: [u32("count", B * Tq * H), u32("H", H), u32("Tq", Tq)],
    grid: linearGrid(Math.ceil(B * Tq * H / ROW_DOT_WORKGROUP)),
    body: () =>
      `${loadFunction("o", d)}
${loadFunction("dOutput", d)}
${linearMain(ROW_DOT_WORKGROUP)}
  if (i < u.count) {
    let at = i * ${rowUnits(d)}u;
    var sum = vec4f();
    for (var c = 0u; c < ${C}u; c++) { sum = fma(load_o(at, c), load_dOutput(at, c), sum); }
    let head = i % u.H;
    let row = i / u.H % u.Tq;
    let batch = i / u.H / u.Tq;
    rowDot[(batch * u.H + head) * u.Tq + row] = (sum.x + sum.y) + (sum.z + sum.w);
  }
}`,
  };
}

function bindings({ d, masked }: AttentionProblem): Binding[] {
  const type = rowType(d);
  return [
    read("q", type),
    read("k", type),
    read("v", type),
    read("dOutput", type),
    read("lse"),
    read("rowDot"),
    ...(masked ? [read("keyMask", "i32")] : []),
    write("gradient", type),
  ];
}

const functions = (problem: AttentionProblem): string =>
  [
    ...["q", "k", "v", "dOutput"].map((name) => loadFunction(name, problem.d)),
    storeFunction("gradient", problem.d),
    dropoutFunctions(problem),
  ].join("\n");

/** Writes dQ into `gradient` at `offsets.q` with the strides of q. Bindings: q, k, v, dOutput, lse, rowDot, [keyMask], gradient. */
export function queryGradientKernel(
  problem: AttentionProblem,
  variant: AttentionVariant,
  offsets: GradientOffsets,
): Kernel {
  const { B, H, Tq } = problem;
  const direct = variant.family === "direct";
  const rows = direct ? variant.rows * DIRECT_THREADS : variant.rows;
  return {
    name: `fused_attention_bwd_dq_${variant.family}`,
    key: `${problemKey(problem)} ${variantName(variant)}`,
    bindings: bindings(problem),
    uniforms: problemUniforms(problem, offsets),
    grid: [Math.ceil(Tq / rows), H, B],
    body: () =>
      functions(problem) + "\n" +
      (direct
        ? directQueryGradient(problem, variant.rows)
        : stagedQueryGradient(problem, variant.rows)),
  };
}

/** Writes dK and dV into `gradient` at `offsets` with the strides of k. Same bindings as the dQ pass. */
export function keyGradientKernel(
  problem: AttentionProblem,
  variant: AttentionVariant,
  offsets: GradientOffsets,
): Kernel {
  const { B, H, Tk } = problem;
  const direct = variant.family === "direct";
  const rows = direct ? variant.rows * DIRECT_THREADS : variant.rows;
  return {
    name: `fused_attention_bwd_dkv_${variant.family}`,
    key: `${problemKey(problem)} ${variantName(variant)}`,
    bindings: bindings(problem),
    uniforms: problemUniforms(problem, offsets),
    grid: [Math.ceil(Tk / rows), H, B],
    body: () =>
      functions(problem) + "\n" +
      (direct
        ? directKeyGradient(problem, variant.rows)
        : stagedKeyGradient(problem, variant.rows)),
  };
}

// ---- dQ ----------------------------------------------------------------------------------------------------------------------

function directQueryGradient(problem: AttentionProblem, R: number): string {
  const C = vectorsPerRow(problem.d);
  return `${headStart(problem, DIRECT_THREADS)}
${queryBlock(problem, R * DIRECT_THREADS)}
${range(R).map((i) => declareQueryRow(C, i, `first + ${i * DIRECT_THREADS}u + lane`)).join("\n")}
for (var j = 0u; j < end; j++) {
let kAt = kBase + j * u.kRow;
let vAt = vBase + j * u.kRow;
${
    queryGradientStep(
      pairRules(problem),
      C,
      R,
      (c) => `load_k(kAt, ${c}u)`,
      (c) => `load_v(vAt, ${c}u)`,
    )
  }
}
${storeQueryGradients(C, R)}
}`;
}

function stagedQueryGradient(problem: AttentionProblem, rows: number): string {
  const shape = stagedShape(problem.d, rows);
  const { C, tileRows, threads } = shape;
  return `${staging(shape)}
${headStart(problem, threads)}
${queryBlock(problem, rows)}
let split = lane % ${STAGED_SPLITS}u;
${declareQueryRow(C, 0, `first + lane / ${STAGED_SPLITS}u`)}
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
    queryGradientStep(
      pairRules(problem),
      C,
      1,
      (c) => `tile[${c * tileRows}u + t]`,
      (c) => `tile[${(C + c) * tileRows}u + t]`,
    )
  }
}
}
let at = qBase - u.qOffset + u.dqOffset + row0 * u.qRow;
${
    combineSplits(
      shape,
      (c) => `dq0_${c}`,
      (c, sum) => `if (row0 < u.Tq) { store_gradient(at, ${c}, ${sum} * u.scale); }`,
    )
  }
}`;
}

// ---- dK and dV ---------------------------------------------------------------------------------------------------------------

/** Which key rows a workgroup owns and the first query that sees any of them, uniform over the workgroup. */
function keyBlock(problem: AttentionProblem, rows: number): string {
  const begin = problem.causal ? "u32(max(i32(first) - u.shift, 0))" : "0u";
  return `let first = group.x * ${rows}u;
let begin = ${begin};`;
}

function directKeyGradient(problem: AttentionProblem, R: number): string {
  const C = vectorsPerRow(problem.d);
  return `${headStart(problem, DIRECT_THREADS)}
${keyBlock(problem, R * DIRECT_THREADS)}
${range(R).map((r) => declareKeyRow(C, r, `first + ${r * DIRECT_THREADS}u + lane`)).join("\n")}
let end = ${loopEnd("u.Tq", "q")};
for (var i = begin; i < end; i++) {
let qAt = qBase + i * u.qRow;
let gAt = oBase + i * oRow;
${
    keyGradientStep(
      pairRules(problem),
      C,
      R,
      (c) => `load_q(qAt, ${c}u)`,
      (c) => `load_dOutput(gAt, ${c}u)`,
    )
  }
}
${storeKeyGradients(C, R)}
}`;
}

function stagedKeyGradient(problem: AttentionProblem, rows: number): string {
  const shape = stagedShape(problem.d, rows);
  const { C, tileRows, threads } = shape;
  return `${staging(shape)}
${headStart(problem, threads)}
${keyBlock(problem, rows)}
let split = lane % ${STAGED_SPLITS}u;
${declareKeyRow(C, 0, `first + lane / ${STAGED_SPLITS}u`)}
let end = ${loopEnd("u.Tq", "q")};
for (var start = begin; start < end; start += ${tileRows}u) {
${
    stageTile(
      shape,
      "u.Tq",
      ["load_q(qBase + j * u.qRow, c)", "load_dOutput(oBase + j * oRow, c)"],
    )
  }
for (var t = split; t < min(${tileRows}u, u.Tq - start); t += ${STAGED_SPLITS}u) {
let i = start + t;
${
    keyGradientStep(
      pairRules(problem),
      C,
      1,
      (c) => `tile[${c * tileRows}u + t]`,
      (c) => `tile[${(C + c) * tileRows}u + t]`,
    )
  }
}
}
${keyGradientAt(0)}
${
    combineSplits(
      shape,
      (c) => `dk0_${c}`,
      (c, sum) => `if (row0 < u.Tk) { store_gradient(dkAt0, ${c}, ${sum} * u.scale); }`,
    )
  }
${
    combineSplits(
      shape,
      (c) => `dv0_${c}`,
      (c, sum) => `if (row0 < u.Tk) { store_gradient(dvAt0, ${c}, ${sum}); }`,
    )
  }
}`;
}
