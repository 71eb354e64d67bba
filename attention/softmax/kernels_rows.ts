/**
 * The arithmetic of one step of online softmax and of its gradients, as text that every fused kernel with R rows per thread splices: the
 * softmax kernels of this folder and those of `attention/block_sparse`. The kernels differ in which pairs they visit, not in this.
 */
import { dot, type PairRules, range } from "./kernels_problem.ts";

/** Gives vec4 number c of a row. */
export type RowVector = (c: number) => string;

const times = (rules: PairRules, factor: string) => rules.kept ? ` * ${factor}` : "";

// ---- output ------------------------------------------------------------------------------------------------------------------

/**
 * Scaled query, accumulator and running maximum and sum of row i. A row from `end` on repeats the last one and must not be stored.
 */
export function declareRow(C: number, i: number, row: string, end = "u.Tq"): string {
  return [
    `let row${i} = ${row};`,
    `let i${i} = min(row${i}, ${end} - 1u);`,
    // Above the -1e30 of a forbidden key, so that its exponential is 0 even before any allowed key was seen.
    `var m${i} = -1e29;`,
    `var l${i} = 0.0;`,
    ...range(C).map((c) =>
      `let q${i}_${c} = load_q(qBase + i${i} * u.qRow, ${c}u) * u.scale; var o${i}_${c} = vec4f();`
    ),
  ].join("\n");
}

/** One key `j` for all R rows of the thread. */
export function keyStep(
  rules: PairRules,
  C: number,
  R: number,
  key: RowVector,
  value: RowVector,
): string {
  const lines = range(C).map((c) => `let k_${c} = ${key(c)};`);
  for (const i of range(R)) {
    lines.push(
      dot(`dot${i}`, C, (c) => `q${i}_${c}`, (c) => `k_${c}`),
      `let s${i} = select(-1e30, dot${i}, ${rules.allowed(`i${i}`, "j", i)});`,
      `let max${i} = max(m${i}, s${i});`,
      `let shrink${i} = exp(m${i} - max${i});`,
      `let p${i} = exp(s${i} - max${i});`,
      `m${i} = max${i};`,
      `l${i} = fma(l${i}, shrink${i}, p${i});`,
      `let w${i} = vec4f(p${i}${rules.kept ? ` * ${rules.kept(`i${i}`, "j")}` : ""});`,
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
export const finishRow = (i: number, m: string, l: string) =>
  `let inverse${i} = select(0.0, 1.0 / ${l}, ${l} > 0.0);
let lse${i} = select(1e30, ${m} + log(max(${l}, 1e-30)), ${l} > 0.0);`;

/** Stores the R finished rows and their log-sums; needs `oRow`, `oBase` and `statistics`. */
export function storeRows(C: number, R: number, end = "u.Tq"): string {
  return range(R).map((i) =>
    `${finishRow(i, `m${i}`, `l${i}`)}
if (row${i} < ${end}) {
lse[statistics + row${i}] = lse${i};
${
      range(C).map((c) => `store_o(oBase + row${i} * oRow, ${c}u, o${i}_${c} * inverse${i});`)
        .join("\n")
    }
}`
  ).join("\n");
}

// ---- dQ ----------------------------------------------------------------------------------------------------------------------

/** Query, upstream gradient, statistics and accumulator of row i. */
export function declareQueryRow(C: number, i: number, row: string, end = "u.Tq"): string {
  return [
    `let row${i} = ${row};`,
    `let i${i} = min(row${i}, ${end} - 1u);`,
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
export function queryGradientStep(
  rules: PairRules,
  C: number,
  R: number,
  key: RowVector,
  value: RowVector,
): string {
  const lines = range(C).map((c) => `let k_${c} = ${key(c)}; let v_${c} = ${value(c)};`);
  for (const i of range(R)) {
    lines.push(
      dot(`s${i}`, C, (c) => `q${i}_${c}`, (c) => `k_${c}`),
      dot(`dp${i}`, C, (c) => `g${i}_${c}`, (c) => `v_${c}`),
      rules.kept ? `let kept${i} = ${rules.kept(`i${i}`, "j")};` : "",
      `let p${i} = select(0.0, exp(s${i} - lse${i}), ${rules.allowed(`i${i}`, "j", i)});`,
      `let ds${i} = vec4f(p${i} * (dp${i}${times(rules, `kept${i}`)} - rowDot${i}));`,
      ...range(C).map((c) => `dq${i}_${c} = fma(ds${i}, k_${c}, dq${i}_${c});`),
    );
  }
  return lines.join("\n");
}

/** Stores the R query gradients with the strides of q. */
export function storeQueryGradients(C: number, R: number, end = "u.Tq"): string {
  return range(R).map((i) =>
    `if (row${i} < ${end}) {
let at${i} = qBase - u.qOffset + u.dqOffset + row${i} * u.qRow;
${range(C).map((c) => `store_gradient(at${i}, ${c}u, dq${i}_${c} * u.scale);`).join("\n")}
}`
  ).join("\n");
}

// ---- dK and dV ---------------------------------------------------------------------------------------------------------------

/** Scaled key and value of row r, with accumulators, from the addresses of the two rows. */
export function declareKeyVectors(C: number, r: number, key: RowVector, value: RowVector): string {
  return range(C).map((c) =>
    `let k${r}_${c} = ${key(c)} * u.scale;
let v${r}_${c} = ${value(c)};
var dk${r}_${c} = vec4f();
var dv${r}_${c} = vec4f();`
  ).join("\n");
}

/** Position, key, value and accumulators of key row r. */
export function declareKeyRow(C: number, r: number, row: string, end = "u.Tk"): string {
  return `let row${r} = ${row};
let j${r} = min(row${r}, ${end} - 1u);
${
    declareKeyVectors(
      C,
      r,
      (c) => `load_k(kBase + j${r} * u.kRow, ${c}u)`,
      (c) => `load_v(vBase + j${r} * u.kRow, ${c}u)`,
    )
  }`;
}

/** One query `i` for all R key rows of the thread; key row r stands at position `j<r>`. */
export function keyGradientStep(
  rules: PairRules,
  C: number,
  R: number,
  query: RowVector,
  upstream: RowVector,
): string {
  const lines = [
    "let lseI = lse[statistics + i];",
    "let rowDotI = rowDot[statistics + i];",
    ...range(C).map((c) => `let q_${c} = ${query(c)}; let g_${c} = ${upstream(c)};`),
  ];
  for (const r of range(R)) {
    lines.push(
      dot(`s${r}`, C, (c) => `q_${c}`, (c) => `k${r}_${c}`),
      dot(`dp${r}`, C, (c) => `g_${c}`, (c) => `v${r}_${c}`),
      rules.kept ? `let kept${r} = ${rules.kept("i", `j${r}`)};` : "",
      `let p${r} = select(0.0, exp(s${r} - lseI), ${rules.allowed("i", `j${r}`, r)});`,
      `let ds${r} = vec4f(p${r} * (dp${r}${times(rules, `kept${r}`)} - rowDotI));`,
      `let w${r} = vec4f(p${r}${times(rules, `kept${r}`)});`,
      ...range(C).map((c) =>
        `dv${r}_${c} = fma(w${r}, g_${c}, dv${r}_${c}); dk${r}_${c} = fma(ds${r}, q_${c}, dk${r}_${c});`
      ),
    );
  }
  return lines.join("\n");
}

/** Addresses `dkAt<r>` and `dvAt<r>` of the gradients of key row r, `at` behind the first key of the head. */
export const keyGradientAt = (r: number, at = `row${r} * u.kRow`) =>
  `let dkAt${r} = kBase - u.kOffset + u.dkOffset + ${at};
let dvAt${r} = vBase - u.vOffset + u.dvOffset + ${at};`;

/** Stores the R key and value gradients with the strides of k. */
export function storeKeyGradients(C: number, R: number, end = "u.Tk"): string {
  return range(R).map((r) =>
    `${keyGradientAt(r)}
if (row${r} < ${end}) {
${
      range(C).map((c) =>
        `store_gradient(dkAt${r}, ${c}u, dk${r}_${c} * u.scale); store_gradient(dvAt${r}, ${c}u, dv${r}_${c});`
      ).join("\n")
    }
}`
  ).join("\n");
}
