import { f32, RANDOM_WGSL, type Uniform } from "../../engine/mod.ts";
import { DROPOUT_DOMAIN } from "../../engine/kernels/dropout.ts";

/** Where the rows of one operand lie inside its buffer, in elements. Head h starts `h * d` elements into a row. */
export interface OperandLayout {
  /** First element. */
  readonly offset: number;
  /** Distance of two positions. */
  readonly row: number;
  /** Distance of two batch entries. */
  readonly batch: number;
}

/** Sizes, strides and options that every softmax attention kernel is made from. */
export interface AttentionProblem {
  readonly B: number;
  readonly H: number;
  /** Query positions. */
  readonly Tq: number;
  /** Key positions. */
  readonly Tk: number;
  /** Width of a head. */
  readonly d: number;
  readonly q: OperandLayout;
  readonly k: OperandLayout;
  /** Shares row and batch stride with `k`. */
  readonly v: OperandLayout;
  readonly scale: number;
  /** Query i sees keys j <= i + Tk - Tq: the last query sees every key. */
  readonly causal: boolean;
  /** A key mask is bound. */
  readonly masked: boolean;
  readonly dropout?: { readonly p: number; readonly seed: number; readonly stream: number };
}

/** Number of vec4 that hold one row of a head; a width no multiple of 4 is padded with zeros. */
export function vectorsPerRow(d: number): number {
  return Math.ceil(d / 4);
}

/** Type of the bindings that hold rows: whole vec4 when every row starts at one. */
export function rowType(d: number): "vec4f" | "f32" {
  return d % 4 === 0 ? "vec4f" : "f32";
}

/** Width of a row of a head in elements of its binding. */
export function rowUnits(d: number): number {
  return d % 4 === 0 ? d / 4 : d;
}

/** The part of a pipeline key that all kernels share. */
export function problemKey({ d, causal, masked, dropout }: AttentionProblem): string {
  return `d${d}${causal ? " causal" : ""}${masked ? " mask" : ""}${dropout ? " dropout" : ""}`;
}

/** Offsets of the three parts of a gradient buffer, in elements. */
export interface GradientOffsets {
  readonly q: number;
  readonly k: number;
  readonly v: number;
}

const u32 = (name: string, value: number): Uniform => ({ name, type: "u32", value: value >>> 0 });

/** Per-call values: the same struct for every kernel, so that they also share a bind group layout. */
export function problemUniforms(
  problem: AttentionProblem,
  gradient: GradientOffsets = { q: 0, k: 0, v: 0 },
): Uniform[] {
  const { Tq, Tk, d, q, k, v, scale, dropout } = problem;
  const unit = d % 4 === 0 ? 4 : 1;
  return [
    u32("Tq", Tq),
    u32("Tk", Tk),
    { name: "shift", type: "i32", value: Tk - Tq },
    f32("scale", scale),
    u32("qOffset", q.offset / unit),
    u32("qRow", q.row / unit),
    u32("qBatch", q.batch / unit),
    u32("kOffset", k.offset / unit),
    u32("vOffset", v.offset / unit),
    u32("kRow", k.row / unit),
    u32("kBatch", k.batch / unit),
    u32("dqOffset", gradient.q / unit),
    u32("dkOffset", gradient.k / unit),
    u32("dvOffset", gradient.v / unit),
    f32("keptScale", 1 / (1 - (dropout?.p ?? 0))),
    // In units of 2^-24, the resolution of the random numbers.
    u32("dropBelow", Math.round((dropout?.p ?? 0) * 0x1000000)),
    u32("dropSeed", dropout?.seed ?? 0),
    u32("dropStream", dropout?.stream ?? 0),
  ];
}

/**
 * `load_<name>(at, c)`: vec4 number c of the row of `buffer` that starts at `at`, with zeros past a width that is no multiple of 4.
 */
export function loadFunction(name: string, d: number, buffer = name): string {
  if (d % 4 === 0) return `fn load_${name}(at: u32, c: u32) -> vec4f { return ${buffer}[at + c]; }`;
  const element = (n: number) =>
    `select(0.0, ${buffer}[at + 4u * c + ${n}u], 4u * c + ${n}u < ${d}u)`;
  return `fn load_${name}(at: u32, c: u32) -> vec4f {
  return vec4f(${[0, 1, 2, 3].map(element).join(", ")});
}`;
}

/** `store_<name>(at, c, value)`: the counterpart of `load_<name>`. */
export function storeFunction(name: string, d: number): string {
  if (d % 4 === 0) {
    return `fn store_${name}(at: u32, c: u32, value: vec4f) { ${name}[at + c] = value; }`;
  }
  const lines = [0, 1, 2, 3].map((n) =>
    `  if (4u * c + ${n}u < ${d}u) { ${name}[at + 4u * c + ${n}u] = value[${n}]; }`
  );
  return `fn store_${name}(at: u32, c: u32, value: vec4f) {\n${lines.join("\n")}\n}`;
}

/**
 * `kept(i, j, batchHead)`: 0 where dropout removes the probability of key j for query i, else 1 / (1 - p). The same draw as the
 * `dropout` operation makes on the [B, H, Tq, columns] probabilities.
 */
export function dropoutFunctions(problem: AttentionProblem, columns = "u.Tk"): string {
  if (!problem.dropout) return "";
  return `${RANDOM_WGSL}
fn kept(i: u32, j: u32, batchHead: u32) -> f32 {
  let index = (batchHead * u.Tq + i) * ${columns} + j;
  let words = hash4(vec4u(index >> 2u, u.dropStream, u.dropSeed, ${DROPOUT_DOMAIN}u));
  return select(0.0, u.keptScale, (words[index & 3u] >> 8u) >= u.dropBelow);
}`;
}

/**
 * Opening of every pass: which head this workgroup works on and where its operands start.
 */
export function headStart(problem: AttentionProblem, workgroupSize: number): string {
  const headWidth = rowUnits(problem.d);
  return `@compute @workgroup_size(${workgroupSize})
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) group: vec3u,
        @builtin(num_workgroups) groups: vec3u) {
  let inHead = group.y * ${headWidth}u;
  let batchHead = group.z * groups.y + group.y;
  let qBase = u.qOffset + group.z * u.qBatch + inHead;
  let kBase = u.kOffset + group.z * u.kBatch + inHead;
  let vBase = u.vOffset + group.z * u.kBatch + inHead;
  // O and its gradient are [B, Tq, H, d].
  let oRow = groups.y * ${headWidth}u;
  let oBase = group.z * u.Tq * oRow + inHead;
  let statistics = batchHead * u.Tq;`;
}

/** WGSL expression: may query `i` (u32) look at key `j` (u32)? */
export function allowed(problem: AttentionProblem, i: string, j: string): string {
  const terms: string[] = [];
  if (problem.causal) terms.push(`i32(${j}) <= i32(${i}) + u.shift`);
  if (problem.masked) terms.push(`keyMask[group.z * u.Tk + ${j}] != 0`);
  return terms.join(" && ") || "true";
}

/** What a kernel says of a pair; all are WGSL expressions. */
export interface PairRules {
  /** May the query at position `i` see the key at position `j`? `row` is the number of the thread's row. */
  readonly allowed: (i: string, j: string, row: number) => string;
  /** Factor of dropout on the pair's probability; left out where nothing is dropped. */
  readonly kept?: (i: string, j: string) => string;
}

/** The rules of this problem's pairs, for the steps of `kernels_rows.ts`. */
export function pairRules(problem: AttentionProblem): PairRules {
  return {
    allowed: (i, j) => allowed(problem, i, j),
    kept: problem.dropout ? (i, j) => `kept(${i}, ${j}, batchHead)` : undefined,
  };
}

/** Integers 0 .. n - 1. */
export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Statements for the dot product of two rows of C vec4, summed in a fixed order into `name`. */
export function dot(
  name: string,
  C: number,
  a: (c: number) => string,
  b: (c: number) => string,
): string {
  const lines = [`var ${name}_sum = ${a(0)} * ${b(0)};`];
  for (let c = 1; c < C; c++) lines.push(`${name}_sum = fma(${a(c)}, ${b(c)}, ${name}_sum);`);
  lines.push(
    `let ${name} = (${name}_sum.x + ${name}_sum.y) + (${name}_sum.z + ${name}_sum.w);`,
  );
  return lines.join("\n");
}
