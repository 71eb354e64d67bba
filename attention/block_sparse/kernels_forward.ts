/**
 * Forward pass of block-sparse attention for the text queries: online softmax over the globals, the ranges of the pattern and the slots,
 * each addressed by index arithmetic. No key is gathered or copied, and no kernel visits a pair outside the pattern's ranges.
 *
 * Work: one workgroup per tile of a block of queries, head and batch entry; rows in registers as in `attention/softmax`. Saved for
 * backward: the log of each row's sum of exponentials. Check: `deno test -A tests/attention/`.
 */
import { type Kernel, loopEnd, write } from "../../engine/mod.ts";
import {
  dropoutFunctions,
  headStart,
  loadFunction,
  type PairRules,
  range,
  rowType,
  rowUnits,
  storeFunction,
  vectorsPerRow,
} from "../softmax/kernels_problem.ts";
import { declareRow, keyStep, type RowVector, storeRows } from "../softmax/kernels_rows.ts";
import {
  keyVisible,
  loadPacked,
  SLOT_RANGE,
  sparseBindings,
  type SparseProblem,
  textKernel,
  textTile,
  visiblePairs,
} from "./problem.ts";
import type { SparseVariant } from "./variant.ts";

/** What the text pass reads. */
export const FORWARD_READS = { mask: true, ranges: true, slots: true };

/** Writes the text rows of o [B, N, H, d] and lse [B, H, N]. Bindings: qkv, [keyMask], [table], [slots], [pooled], o, lse. */
export function sparseForwardKernel(problem: SparseProblem, variant: SparseVariant): Kernel {
  const { d } = problem;
  const C = vectorsPerRow(d);
  const { threads, rows: R } = variant;
  const row = (i: number) => `u.globals + first + ${i * threads}u + lane`;
  return textKernel(problem, variant, {
    name: "block_sparse_fwd",
    bindings: [...sparseBindings(problem, FORWARD_READS), write("o", rowType(d)), write("lse")],
    body: () =>
      `${keyFunctions(problem)}
${storeFunction("o", d)}
${headStart(problem, threads)}
${textTile(variant)}
${range(R).map((i) => declareRow(C, i, row(i), "rowEnd")).join("\n")}
${visitKeys(problem, (rules, key, value) => keyStep(rules, C, R, key, value))}
${storeRows(C, R, "rowEnd")}
}`,
  });
}

/** Functions that `visitKeys` calls. */
export function keyFunctions(problem: SparseProblem): string {
  return [
    loadPacked(problem.d),
    problem.pattern.keyRanges,
    problem.slots ? SLOT_RANGE : "",
    problem.slots?.pooled ? loadFunction("pooled", problem.d) : "",
    dropoutFunctions(problem, "u.columns"),
  ].join("\n");
}

/**
 * Loops of a tile of text queries over all keys it may see; `step` gives the statements for one key. A key's column, which dropout
 * draws by, is its position, or N + s for slot s.
 */
export function visitKeys(
  problem: SparseProblem,
  step: (rules: PairRules, key: RowVector, value: RowVector) => string,
): string {
  const load = (name: string) => (c: number) => `load_${name}(${name[0]}At, ${c}u)`;
  return `let globalEnd = ${loopEnd("u.globals", "qkv")};
let ranges = key_ranges(block, group.y);
for (var n = 0u; n <= ranges; n++) {
var keys = vec2u(0u, globalEnd);
if (n > 0u) { keys = u.globals + key_range(n - 1u, block, first, end, group.y); }
for (var j = keys.x; j < keys.y; j++) {
let visible = ${keyVisible(problem, "j")};
let kAt = kBase + j * u.kRow;
let vAt = vBase + j * u.kRow;
${step(visiblePairs(problem, () => "visible", true), load("k"), load("v"))}
}
}
${problem.slots ? visitSlots(problem, step) : ""}`;
}

function visitSlots(
  problem: SparseProblem,
  step: (rules: PairRules, key: RowVector, value: RowVector) => string,
): string {
  const { bothSides, pooled } = problem.slots!;
  const load = (name: string) => (c: number) =>
    `load_${pooled ? "pooled" : name}(${name}At, ${c}u)`;
  return `let slotBase = batchHead * u.slotCount;
for (var side = 0u; side < ${bothSides ? 2 : 1}u; side++) {
let slice = slot_range(side, block);
for (var s = slice.x; s < slice.y; s++) {
let token = slots[slotBase + s];
let visible = token >= 0;
let j = u.Tk + s;
${slotAddress(problem, "s", "token")}
${step(visiblePairs(problem, () => "visible", false), load("k"), load("v"))}
}
}`;
}

/** `kAt<suffix>` and `vAt<suffix>`: where the key and value of a slot are. */
export function slotAddress(
  problem: SparseProblem,
  slot: string,
  token: string,
  suffix = "",
): string {
  const width = rowUnits(problem.d);
  if (problem.slots!.pooled) {
    return `let kAt${suffix} = (slotBase + ${slot}) * ${width}u;
let vAt${suffix} = kAt${suffix} + u.pooledHalf;`;
  }
  return `let at${suffix} = (u.globals + u32(max(${token}, 0))) * u.kRow;
let kAt${suffix} = kBase + at${suffix};
let vAt${suffix} = vBase + at${suffix};`;
}
