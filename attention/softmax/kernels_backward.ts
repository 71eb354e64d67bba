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
  allowed,
  type AttentionProblem,
  dot,
  dropoutFunctions,
  type GradientOffsets,
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
    let at = i * ${d % 4 === 0 ? C : d}u;
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

const keptFactor = (problem: AttentionProblem, n: number, i: string, j: string) =>
  problem.dropout ? `let kept${n} = kept(${i}, ${j}, batchHead);` : "";

// ---- dQ ----------------------------------------------------------------------------------------------------------------------

function declareQueryRow(C: number, i: number, row: string): string {
  return [
    `let row${i} = ${row};`,
    `let i${i} = min(row${i}, u.Tq - 1u);`,
    `let lse${i} = lse[statistics + i${i}];`,
    `let rowDot${i} = rowDot[statistics + i${i}];`,
    ...range(C).map((c) =>
      `let q${i}_${c} = load_q(qBase + i${i} * u.qRow, ${c}u) * u.scale;
let g${i}_${c} = load_dOutput(oBase + i${i} * oRow, ${c}u);
var dq${i}_${c} = vec4f();`
    ),
  ].join("\n");
}

/** One key `j` for all R query rows of the thread. */
function queryGradientStep(
  problem: AttentionProblem,
  R: number,
  key: (c: number) => string,
  value: (c: number) => string,
): string {
  const C = vectorsPerRow(problem.d);
  const lines = range(C).map((c) => `let k_${c} = ${key(c)}; let v_${c} = ${value(c)};`);
  for (const i of range(R)) {
    lines.push(
      dot(`s${i}`, C, (c) => `q${i}_${c}`, (c) => `k_${c}`),
      dot(`dp${i}`, C, (c) => `g${i}_${c}`, (c) => `v_${c}`),
      keptFactor(problem, i, `i${i}`, "j"),
      `let p${i} = select(0.0, exp(s${i} - lse${i}), ${allowed(problem, `i${i}`, "j")});`,
      `let ds${i} = vec4f(p${i} * (dp${i}${problem.dropout ? ` * kept${i}` : ""} - rowDot${i}));`,
      ...range(C).map((c) => `dq${i}_${c} = fma(ds${i}, k_${c}, dq${i}_${c});`),
    );
  }
  return lines.join("\n");
}

function directQueryGradient(problem: AttentionProblem, R: number): string {
  const C = vectorsPerRow(problem.d);
  const store = (i: number) =>
    `if (row${i} < u.Tq) {
let at${i} = qBase - u.qOffset + u.dqOffset + row${i} * u.qRow;
${range(C).map((c) => `store_gradient(at${i}, ${c}u, dq${i}_${c} * u.scale);`).join("\n")}
}`;
  return `${headStart(problem, DIRECT_THREADS)}
${queryBlock(problem, R * DIRECT_THREADS)}
${range(R).map((i) => declareQueryRow(C, i, `first + ${i * DIRECT_THREADS}u + lane`)).join("\n")}
for (var j = 0u; j < end; j++) {
let kAt = kBase + j * u.kRow;
let vAt = vBase + j * u.kRow;
${queryGradientStep(problem, R, (c) => `load_k(kAt, ${c}u)`, (c) => `load_v(vAt, ${c}u)`)}
}
${range(R).map(store).join("\n")}
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
      problem,
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

function declareKeyRow(C: number, r: number, row: string): string {
  return [
    `let row${r} = ${row};`,
    `let j${r} = min(row${r}, u.Tk - 1u);`,
    ...range(C).map((c) =>
      `let k${r}_${c} = load_k(kBase + j${r} * u.kRow, ${c}u) * u.scale;
let v${r}_${c} = load_v(vBase + j${r} * u.kRow, ${c}u);
var dk${r}_${c} = vec4f();
var dv${r}_${c} = vec4f();`
    ),
  ].join("\n");
}

/** One query `i` for all R key rows of the thread. */
function keyGradientStep(
  problem: AttentionProblem,
  R: number,
  query: (c: number) => string,
  upstream: (c: number) => string,
): string {
  const C = vectorsPerRow(problem.d);
  const lines = [
    "let lseI = lse[statistics + i];",
    "let rowDotI = rowDot[statistics + i];",
    ...range(C).map((c) => `let q_${c} = ${query(c)}; let g_${c} = ${upstream(c)};`),
  ];
  for (const r of range(R)) {
    lines.push(
      dot(`s${r}`, C, (c) => `q_${c}`, (c) => `k${r}_${c}`),
      dot(`dp${r}`, C, (c) => `g_${c}`, (c) => `v${r}_${c}`),
      keptFactor(problem, r, "i", `j${r}`),
      `let p${r} = select(0.0, exp(s${r} - lseI), ${allowed(problem, "i", `j${r}`)});`,
      `let ds${r} = vec4f(p${r} * (dp${r}${problem.dropout ? ` * kept${r}` : ""} - rowDotI));`,
      `let w${r} = vec4f(p${r}${problem.dropout ? ` * kept${r}` : ""});`,
      ...range(C).map((c) =>
        `dv${r}_${c} = fma(w${r}, g_${c}, dv${r}_${c}); dk${r}_${c} = fma(ds${r}, q_${c}, dk${r}_${c});`
      ),
    );
  }
  return lines.join("\n");
}

const keyGradientAt = (r: number) =>
  `let dkAt${r} = kBase - u.kOffset + u.dkOffset + row${r} * u.kRow;
let dvAt${r} = vBase - u.vOffset + u.dvOffset + row${r} * u.kRow;`;

function directKeyGradient(problem: AttentionProblem, R: number): string {
  const C = vectorsPerRow(problem.d);
  const store = (r: number) =>
    `${keyGradientAt(r)}
if (row${r} < u.Tk) {
${
      range(C).map((c) =>
        `store_gradient(dkAt${r}, ${c}u, dk${r}_${c} * u.scale); store_gradient(dvAt${r}, ${c}u, dv${r}_${c});`
      ).join("\n")
    }
}`;
  return `${headStart(problem, DIRECT_THREADS)}
${keyBlock(problem, R * DIRECT_THREADS)}
${range(R).map((r) => declareKeyRow(C, r, `first + ${r * DIRECT_THREADS}u + lane`)).join("\n")}
let end = ${loopEnd("u.Tq", "q")};
for (var i = begin; i < end; i++) {
let qAt = qBase + i * u.qRow;
let gAt = oBase + i * oRow;
${keyGradientStep(problem, R, (c) => `load_q(qAt, ${c}u)`, (c) => `load_dOutput(gAt, ${c}u)`)}
}
${range(R).map(store).join("\n")}
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
      problem,
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
