/**
 * Selections whose sparse keys are weighted sums of tokens: token t of a chunk adds `weights[t]` times its key and value to slot
 * `assignment[t]` of the chunk (slot 0 where a chunk has one). Weights are made here for the poolings and in `lsh.ts` for hashing; sums and
 * gradients are the same for all. Check: `deno test -A tests/attention/lsg/`.
 */
import { type Kernel, read, write } from "../../../engine/mod.ts";
import {
  dot,
  type GradientOffsets,
  loadFunction,
  range,
  rowType,
  rowUnits,
  storeFunction,
  vectorsPerRow,
} from "../../softmax/kernels_problem.ts";
import { type SparseProblem, textLength } from "../../block_sparse/problem.ts";
import { selectionKernel, tokenVisible } from "./selection_kernel.ts";

/** Tokens per chunk, slots per chunk, and whether tokens choose among the slots. */
export interface Pooling {
  readonly chunk: number;
  readonly kept: number;
  readonly hashed: boolean;
}

/** Functions of a buffer of rows that is added to. */
const readWritten = (name: string, d: number) =>
  `${loadFunction(name, d)}\n${storeFunction(name, d)}`;

const numbersOf = ({ chunk, kept }: Pooling) => ({ chunk, kept });

/** The slot of token `t`, from the head's first. */
const slotOf = ({ hashed }: Pooling) =>
  `t / u.chunk * u.kept${hashed ? " + u32(assignment[batchHead * u.T + t])" : ""}`;

const assignment = ({ hashed }: Pooling) => hashed ? [read("assignment", "i32")] : [];

/**
 * Weights of `pooling`: 1 / (visible tokens of the group + 1e-6). A thread per slot, a group of `factor` tokens. Bindings: qkv,
 * [keyMask], weights, slots.
 */
export function meanWeightKernel(problem: SparseProblem, factor: number, threads: number): Kernel {
  return selectionKernel(problem, {
    name: "lsg_mean_weight",
    count: problem.slots!.count,
    threads,
    bindings: [write("weights"), write("slots", "i32")],
    numbers: { factor },
    body: `let end = min((n + 1u) * u.factor, u.T);
var visible = 0.0;
for (var t = n * u.factor; t < end; t++) { visible += select(0.0, 1.0, ${
      tokenVisible(problem, "t")
    }); }
for (var t = n * u.factor; t < end; t++) {
  weights[batchHead * u.T + t] = select(0.0, 1.0 / (visible + 1e-6), ${tokenVisible(problem, "t")});
}
slots[batchHead * u.slotCount + n] = select(-1, 0, visible > 0.0);`,
  });
}

/**
 * Weights of `bos_pooling`: softmax over the group of the first text token's query with its keys. A thread per slot. Bindings: qkv,
 * [keyMask], weights, slots.
 */
export function bosWeightKernel(
  problem: SparseProblem,
  factor: number,
  maskBug: boolean,
  threads: number,
): Kernel {
  const C = vectorsPerRow(problem.d);
  const group = "var t = n * u.factor; t < end; t++";
  // The reference's mask of a group that is all padding overflows: the group becomes visible, as a plain mean.
  const hidden = maskBug ? "1.0 / f32(u.factor)" : "0.0";
  return selectionKernel(problem, {
    name: "lsg_bos_weight",
    key: maskBug ? "mask-bug" : "",
    count: problem.slots!.count,
    threads,
    bindings: [write("weights"), write("slots", "i32")],
    numbers: { factor },
    body: `let end = min((n + 1u) * u.factor, u.T);
let qAt = qBase + u.globals * u.qRow;
${range(C).map((c) => `let q_${c} = load_q(qAt, ${c}u) * u.scale;`).join("\n")}
var highest = -1e30;
for (${group}) {
  let kAt = kBase + (u.globals + t) * u.kRow;
  ${dot("score", C, (c) => `q_${c}`, (c) => `load_k(kAt, ${c}u)`)}
  let seen = select(-1e30, score, ${tokenVisible(problem, "t")});
  weights[batchHead * u.T + t] = seen;
  highest = max(highest, seen);
}
var total = 0.0;
for (${group}) {
  let p = exp(weights[batchHead * u.T + t] - highest);
  weights[batchHead * u.T + t] = p;
  total += p;
}
let anyVisible = highest > -1e30;
for (${group}) {
  weights[batchHead * u.T + t] = select(${hidden}, weights[batchHead * u.T + t] / total, anyVisible);
}
slots[batchHead * u.slotCount + n] = select(-1, 0, ${maskBug ? "true" : "anyVisible"});`,
  });
}

/**
 * Pooled keys and values [2, B, H, slots, d], or keys alone. A thread per chunk, half and vec4 adds up the chunk's tokens in order.
 * Bindings: qkv, [keyMask], [assignment], weights, pooled.
 */
export function poolKernel(
  problem: SparseProblem,
  pooling: Pooling,
  halves: 1 | 2,
  threads: number,
): Kernel {
  const { d } = problem;
  const C = vectorsPerRow(d);
  return selectionKernel(problem, {
    name: "lsg_pool",
    key: `${pooling.hashed ? "hashed" : ""} ${halves}`,
    count: slotsOf(problem, pooling) / pooling.kept * halves * C,
    threads,
    bindings: [...assignment(pooling), read("weights"), write("pooled", rowType(d))],
    numbers: { ...numbersOf(pooling), slotsHere: slotsOf(problem, pooling) },
    functions: readWritten("pooled", d),
    body: `let c = n % ${C}u;
let isValue = n / ${C}u % ${halves}u == 1u;
let start = n / ${C * halves}u * u.chunk;
let half = select(0u, groups.z * groups.y * u.slotsHere, isValue);
let base = half + batchHead * u.slotsHere;
for (var s = 0u; s < u.kept; s++) {
  store_pooled((base + start / u.chunk * u.kept + s) * ${rowUnits(d)}u, c, vec4f());
}
let end = min(start + u.chunk, u.T);
for (var t = start; t < end; t++) {
  let weight = weights[batchHead * u.T + t];
  let row = (u.globals + t) * u.kRow;
  let value = load_k(select(kBase, vBase, isValue) + row, c);
  let at = (base + ${slotOf(pooling)}) * ${rowUnits(d)}u;
  store_pooled(at, c, fma(vec4f(weight), value, load_pooled(at, c)));
}`,
  });
}

/** Slots of the whole text with this pooling. */
export const slotsOf = (problem: SparseProblem, { chunk, kept }: Pooling): number =>
  Math.ceil(textLength(problem) / problem.pattern.block) * problem.pattern.block / chunk * kept;

/**
 * Adds weight times the slot's gradient to dK and dV of every token. A thread per token and vec4. Bindings: [assignment], weights,
 * pooledGradient, gradient.
 */
export function unpoolKernel(
  problem: SparseProblem,
  pooling: Pooling,
  offsets: GradientOffsets,
  threads: number,
): Kernel {
  const { d } = problem;
  const C = vectorsPerRow(d);
  const type = rowType(d);
  return selectionKernel(problem, {
    name: "lsg_unpool",
    key: pooling.hashed ? "hashed" : "",
    count: textLength(problem) * C,
    threads,
    sequence: false,
    bindings: [
      ...assignment(pooling),
      read("weights"),
      read("pooledGradient", type),
      write("gradient", type),
    ],
    offsets,
    numbers: numbersOf(pooling),
    functions: `${loadFunction("pooledGradient", d)}\n${readWritten("gradient", d)}`,
    body: `let c = n % ${C}u;
let t = n / ${C}u;
let weight = vec4f(weights[batchHead * u.T + t]);
let source = (batchHead * u.slotCount + ${slotOf(pooling)}) * ${rowUnits(d)}u;
let row = (u.globals + t) * u.kRow;
let dkAt = kBase - u.kOffset + u.dkOffset + row;
let dvAt = vBase - u.vOffset + u.dvOffset + row;
store_gradient(dkAt, c, fma(weight, load_pooledGradient(source, c), load_gradient(dkAt, c)));
store_gradient(dvAt, c, fma(weight, load_pooledGradient(source + u.pooledHalf, c), load_gradient(dvAt, c)));`,
  });
}

/**
 * Gradient through the weights of `bos_pooling`: adds to dK and leaves each token's factor of the first query in `weightGradient`
 * [B, H, T]. A thread per slot. Bindings: qkv, [keyMask], weights, pooledGradient, weightGradient, gradient.
 */
export function bosGradientKernel(
  problem: SparseProblem,
  factor: number,
  offsets: GradientOffsets,
  threads: number,
): Kernel {
  const { d } = problem;
  const C = vectorsPerRow(d);
  const type = rowType(d);
  const group = "var t = n * u.factor; t < end; t++";
  return selectionKernel(problem, {
    name: "lsg_bos_gradient",
    count: problem.slots!.count,
    threads,
    bindings: [
      read("weights"),
      read("pooledGradient", type),
      write("weightGradient"),
      write("gradient", type),
    ],
    offsets,
    numbers: { factor },
    functions: `${loadFunction("pooledGradient", d)}\n${readWritten("gradient", d)}`,
    body: `let end = min((n + 1u) * u.factor, u.T);
let source = (batchHead * u.slotCount + n) * ${rowUnits(d)}u;
var mean = 0.0;
for (${group}) {
  let kAt = kBase + (u.globals + t) * u.kRow;
  let vAt = vBase + (u.globals + t) * u.kRow;
  var sum = vec4f();
  for (var c = 0u; c < ${C}u; c++) {
    sum = fma(load_k(kAt, c), load_pooledGradient(source, c), sum);
    sum = fma(load_v(vAt, c), load_pooledGradient(source + u.pooledHalf, c), sum);
  }
  let dp = (sum.x + sum.y) + (sum.z + sum.w);
  weightGradient[batchHead * u.T + t] = dp;
  mean = fma(weights[batchHead * u.T + t], dp, mean);
}
let qAt = qBase + u.globals * u.qRow;
for (${group}) {
  let at = batchHead * u.T + t;
  let ds = weights[at] * (weightGradient[at] - mean) * u.scale;
  weightGradient[at] = ds;
  let dkAt = kBase - u.kOffset + u.dkOffset + (u.globals + t) * u.kRow;
  for (var c = 0u; c < ${C}u; c++) {
    store_gradient(dkAt, c, fma(vec4f(ds), load_q(qAt, c), load_gradient(dkAt, c)));
  }
}`,
  });
}

/**
 * What the first text token's query receives: the sum of the keys by `weightGradient`, in `parts` partial sums [B, H, parts, C].
 * Bindings: qkv, [keyMask], weightGradient, partial.
 */
export function bosQueryPartKernel(problem: SparseProblem, parts: number, threads: number): Kernel {
  const C = vectorsPerRow(problem.d);
  return selectionKernel(problem, {
    name: "lsg_bos_query_part",
    count: parts * C,
    threads,
    bindings: [read("weightGradient"), write("partial", "vec4f")],
    numbers: { strips: parts },
    body: `let c = n % ${C}u;
var sum = vec4f();
let end = min(u.T, arrayLength(&weightGradient));
for (var t = n / ${C}u; t < end; t += u.strips) {
  sum = fma(vec4f(weightGradient[batchHead * u.T + t]), load_k(kBase + (u.globals + t) * u.kRow, c), sum);
}
partial[batchHead * u.count + n] = sum;`,
  });
}

/** Adds the partial sums to dQ of the first text token. Bindings: partial, gradient. */
export function bosQueryCombineKernel(
  problem: SparseProblem,
  parts: number,
  offsets: GradientOffsets,
  threads: number,
): Kernel {
  const { d } = problem;
  const C = vectorsPerRow(d);
  return selectionKernel(problem, {
    name: "lsg_bos_query_combine",
    count: C,
    threads,
    sequence: false,
    bindings: [read("partial", "vec4f"), write("gradient", rowType(d))],
    offsets,
    numbers: { strips: parts },
    functions: readWritten("gradient", d),
    body: `var sum = vec4f();
let end = min(u.strips, arrayLength(&partial));
for (var part = 0u; part < end; part++) { sum += partial[(batchHead * u.strips + part) * ${C}u + n]; }
let at = qBase - u.qOffset + u.dqOffset + u.globals * u.qRow;
store_gradient(at, n, load_gradient(at, n) + sum);`,
  });
}
