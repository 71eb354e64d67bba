/**
 * Backward pass of block-sparse attention for text: dQ by tiles of queries, dK and dV by tiles of keys (from the globals' queries and
 * those the pattern lets see the tile), and the same for the slots. Probabilities are recomputed from the saved log-sum-exp; every
 * gradient has one owner and a fixed order of additions. Check: `deno test -A tests/attention/`.
 */
import { type Binding, type Kernel, loopEnd, read, write } from "../../engine/mod.ts";
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
  declareKeyVectors,
  declareQueryRow,
  keyGradientAt,
  keyGradientStep,
  queryGradientStep,
  storeKeyGradients,
  storeQueryGradients,
} from "../softmax/kernels_rows.ts";
import { FORWARD_READS, keyFunctions, slotAddress, visitKeys } from "./kernels_forward.ts";
import {
  keyVisible,
  loadPacked,
  type Reads,
  SLOT_RANGE,
  sparseBindings,
  sparseKey,
  type SparseProblem,
  sparseUniforms,
  textKernel,
  textTile,
  visiblePairs,
} from "./problem.ts";
import type { SparseVariant } from "./variant.ts";

/** What the passes read: dQ the same as forward, keys no slots, slots no mask. */
export const QUERY_READS = FORWARD_READS;
export const KEY_READS = { mask: true, ranges: true };
export const SLOT_READS = { slots: true };

function bindings(problem: SparseProblem, reads: Reads, output: string): Binding[] {
  const type = rowType(problem.d);
  return [
    ...sparseBindings(problem, reads),
    read("dOutput", type),
    read("lse"),
    read("rowDot"),
    write(output, type),
  ];
}

/** Writes the text rows of dQ. Bindings: qkv, [keyMask], [table], [slots], [pooled], dOutput, lse, rowDot, gradient. */
export function sparseQueryGradientKernel(
  problem: SparseProblem,
  variant: SparseVariant,
  offsets: GradientOffsets,
): Kernel {
  const { d } = problem;
  const C = vectorsPerRow(d);
  const { threads, rows: R } = variant;
  const row = (i: number) => `u.globals + first + ${i * threads}u + lane`;
  return textKernel(problem, variant, {
    name: "block_sparse_bwd_dq",
    bindings: bindings(problem, QUERY_READS, "gradient"),
    offsets,
    body: () =>
      `${keyFunctions(problem)}
${loadFunction("dOutput", d)}
${storeFunction("gradient", d)}
${headStart(problem, threads)}
${textTile(variant)}
${range(R).map((i) => declareQueryRow(C, i, row(i), "rowEnd")).join("\n")}
${visitKeys(problem, (rules, key, value) => queryGradientStep(rules, C, R, key, value))}
${storeQueryGradients(C, R, "rowEnd")}
}`,
  });
}

const queryVector = (c: number) => `load_q(qAt, ${c}u)`;
const upstreamVector = (c: number) => `load_dOutput(gAt, ${c}u)`;

/** Addresses of the row of query `i`. */
const QUERY_ADDRESS = `let qAt = qBase + i * u.qRow;
let gAt = oBase + i * oRow;`;

/** Writes the text rows of dK and dV, without what comes through slots. Bindings: qkv, [keyMask], [table], dOutput, lse, rowDot, gradient. */
export function sparseKeyGradientKernel(
  problem: SparseProblem,
  variant: SparseVariant,
  offsets: GradientOffsets,
): Kernel {
  const { d, pattern } = problem;
  const C = vectorsPerRow(d);
  const { threads, rows: R } = variant;
  const rules = visiblePairs(problem, (r) => `visible${r}`, true);
  const declare = (r: number) =>
    `${declareKeyRow(C, r, `u.globals + first + ${r * threads}u + lane`, "rowEnd")}
let visible${r} = ${keyVisible(problem, `j${r}`)};`;
  return textKernel(problem, variant, {
    name: "block_sparse_bwd_dkv",
    bindings: bindings(problem, KEY_READS, "gradient"),
    offsets,
    body: () =>
      `${loadPacked(d)}
${loadFunction("dOutput", d)}
${storeFunction("gradient", d)}
${pattern.queryRanges}
${dropoutFunctions(problem, "u.columns")}
${headStart(problem, threads)}
${textTile(variant)}
${range(R).map(declare).join("\n")}
// A causal global attends to nothing, so it sends no gradient.
let globalEnd = ${pattern.causal ? "0u" : loopEnd("u.globals", "qkv")};
let ranges = query_ranges(block, group.y);
for (var n = 0u; n <= ranges; n++) {
var queries = vec2u(0u, globalEnd);
if (n > 0u) { queries = u.globals + query_range(n - 1u, block, first, end, group.y); }
for (var i = queries.x; i < queries.y; i++) {
${QUERY_ADDRESS}
${keyGradientStep(rules, C, R, queryVector, upstreamVector)}
}
}
${storeKeyGradients(C, R, "rowEnd")}
}`,
  });
}

/**
 * Gradients that arrive through slots: added to dK and dV of the slot's token, or written to `pooledGradient` [2, B, H, slots, d].
 * Bindings: qkv, slots, [pooled], dOutput, lse, rowDot, gradient or pooledGradient.
 */
export function slotGradientKernel(
  problem: SparseProblem,
  variant: SparseVariant,
  offsets: GradientOffsets,
): Kernel {
  const { B, H, d } = problem;
  const slots = problem.slots!;
  const { threads, rows: R } = variant;
  const output = slots.pooled ? "pooledGradient" : "gradient";
  return {
    name: "block_sparse_bwd_slots",
    key: sparseKey(problem, variant),
    bindings: bindings(problem, SLOT_READS, output),
    uniforms: sparseUniforms(problem, variant, offsets),
    grid: [Math.ceil(slots.count / (threads * R)), H, B],
    body: () =>
      `${loadPacked(d)}
${loadFunction("dOutput", d)}
${slots.pooled ? loadFunction("pooled", d) : loadFunction("gradient", d)}
${storeFunction(output, d)}
${SLOT_RANGE}
${dropoutFunctions(problem, "u.columns")}
${headStart(problem, threads)}
${slotRows(problem, variant)}
${visitSlotQueries(problem, variant)}
${range(R).map((r) => storeSlot(problem, r)).join("\n")}
}`,
  };
}

/** Slot, column, key and value of every row of a tile of slots. */
function slotRows(problem: SparseProblem, { threads, rows }: SparseVariant): string {
  const C = vectorsPerRow(problem.d);
  const name = (part: string) => problem.slots!.pooled ? "pooled" : part;
  const row = (r: number) =>
    `let row${r} = firstSlot + ${r * threads}u + lane;
let slot${r} = min(row${r}, u.slotCount - 1u);
let token${r} = slots[slotBase + slot${r}];
let j${r} = u.Tk + slot${r};
${slotAddress(problem, `slot${r}`, `token${r}`, `${r}`)}
${
      declareKeyVectors(
        C,
        r,
        (c) => `load_${name("k")}(kAt${r}, ${c}u)`,
        (c) => `load_${name("v")}(vAt${r}, ${c}u)`,
      )
    }`;
  return `let slotBase = batchHead * u.slotCount;
let firstSlot = group.x * ${threads * rows}u;
let lastSlot = min(firstSlot + ${threads * rows}u, u.slotCount) - 1u;
${range(rows).map(row).join("\n")}`;
}

/**
 * Blocks whose queries may see a slot of the tile: before their left or after their right neighbours. Which row of the tile a block
 * sees is asked of `slot_range`, the same function that the queries ask.
 */
function visitSlotQueries(problem: SparseProblem, { rows: R }: SparseVariant): string {
  const C = vectorsPerRow(problem.d);
  const rules = visiblePairs(problem, (r) => `seen${r}`, false);
  return `let step = i32(u.slotStep);
let reach = i32(u.slotReach);
let right = i32(u.slotRight);
for (var side = 0u; side < ${problem.slots!.bothSides ? 2 : 1}u; side++) {
let before = vec2i(i32(firstSlot) / step + 2, (i32(lastSlot) + reach) / step + 2);
let after = vec2i((i32(firstSlot) - reach) / step + 1 - right, i32(lastSlot) / step + 1 - right);
let blocks = vec2u(clamp(select(after, before, side == 0u), vec2i(0), vec2i(i32(u.blocks))));
for (var b = blocks.x; b < blocks.y; b++) {
let slice = slot_range(side, b);
${
    range(R).map((r) =>
      `let seen${r} = token${r} >= 0 && slot${r} >= slice.x && slot${r} < slice.y;`
    ).join("\n")
  }
let queryEnd = u.globals + min((b + 1u) * u.block, u.T);
for (var i = u.globals + b * u.block; i < queryEnd; i++) {
${QUERY_ADDRESS}
${keyGradientStep(rules, C, R, queryVector, upstreamVector)}
}
}
}`;
}

/** No two slots of a head stand for one token, so adding to its gradient needs no atomics. */
function storeSlot(problem: SparseProblem, r: number): string {
  const C = vectorsPerRow(problem.d);
  if (problem.slots!.pooled) {
    return `if (row${r} < u.slotCount) {
${
      range(C).map((c) =>
        `store_pooledGradient(kAt${r}, ${c}u, dk${r}_${c} * u.scale); store_pooledGradient(vAt${r}, ${c}u, dv${r}_${c});`
      ).join("\n")
    }
}`;
  }
  return `if (row${r} < u.slotCount && token${r} >= 0) {
${keyGradientAt(r, `at${r}`)}
${
    range(C).map((c) =>
      `store_gradient(dkAt${r}, ${c}u, load_gradient(dkAt${r}, ${c}u) + dk${r}_${c} * u.scale);
store_gradient(dvAt${r}, ${c}u, load_gradient(dvAt${r}, ${c}u) + dv${r}_${c});`
    ).join("\n")
  }
}`;
}
