import {
  type Binding,
  type Gpu,
  type Kernel,
  read,
  type Tensor,
  type Uniform,
} from "../../engine/mod.ts";
import {
  type AttentionProblem,
  type GradientOffsets,
  loadFunction,
  type PairRules,
  problemKey,
  problemUniforms,
  rowType,
  rowUnits,
} from "../softmax/kernels_problem.ts";
import type { BlockPattern, SlotPattern } from "./pattern.ts";
import type { SparseVariant } from "./variant.ts";

/** Sizes and options that every block-sparse kernel is made from; queries and keys are the N = G + T positions. */
export interface SparseProblem extends AttentionProblem {
  readonly pattern: BlockPattern;
  readonly slots?: SlotPattern;
}

/** Tensors that a kernel may read besides the packed projection, in binding order. */
export interface SparseOperands {
  readonly qkv: Tensor;
  readonly keyMask?: Tensor;
  readonly table?: Tensor;
  /** i32 [B, H, slots]: the slot's text token (0 where pooled), or -1 when nobody may see it. */
  readonly slots?: Tensor;
  /** [2, B, H, slots, d]: pooled keys, then pooled values. */
  readonly pooled?: Tensor;
}

/** Number of text tokens. */
export const textLength = ({ Tk, pattern }: SparseProblem): number => Tk - pattern.globals;

/** Number of blocks of text. */
export const blockCount = (problem: SparseProblem): number =>
  Math.ceil(textLength(problem) / problem.pattern.block);

/** Workgroups that share a block of `block` rows. */
export const tilesPerBlock = (block: number, { threads, rows }: SparseVariant): number =>
  Math.ceil(block / (threads * rows));

/** Key of a pipeline: everything spliced. */
export function sparseKey(problem: SparseProblem, variant: SparseVariant): string {
  const { pattern, slots } = problem;
  return `${problemKey(problem)} ${pattern.name}${pattern.hideFirst ? " hide-first" : ""}` +
    (slots ? ` slots${slots.pooled ? "-pooled" : ""}${slots.bothSides ? 2 : 1}` : "") +
    ` ${variant.threads}x${variant.rows}`;
}

const u32 = (name: string, value: number): Uniform => ({ name, type: "u32", value });

/** Per-call values, the same struct for every kernel of a pattern. */
export function sparseUniforms(
  problem: SparseProblem,
  variant: SparseVariant,
  offsets?: GradientOffsets,
  parts = 1,
): Uniform[] {
  const { pattern, slots, B, H, d } = problem;
  return [
    ...problemUniforms(problem, offsets),
    u32("globals", pattern.globals),
    u32("T", textLength(problem)),
    u32("block", pattern.block),
    u32("blocks", blockCount(problem)),
    u32("tiles", tilesPerBlock(pattern.block, variant)),
    u32("parts", parts),
    u32("columns", problem.Tk + (slots?.count ?? 0)),
    u32("slotCount", slots?.count ?? 0),
    u32("slotStep", slots?.perBlock ?? 0),
    u32("slotReach", slots?.reach ?? 0),
    u32("slotRight", slots?.right ?? 0),
    u32("pooledHalf", B * H * (slots?.count ?? 0) * rowUnits(d)),
    ...pattern.uniforms,
  ];
}

/** What the kernels over tiles of text differ in. */
export interface TextKernel {
  readonly name: string;
  readonly bindings: readonly Binding[];
  /** Where gradients go. */
  readonly offsets?: GradientOffsets;
  readonly body: () => string;
}

/** A kernel with one workgroup per tile of a block of text, head and batch entry; its body starts with `textTile`. */
export function textKernel(
  problem: SparseProblem,
  variant: SparseVariant,
  { name, bindings, offsets, body }: TextKernel,
): Kernel {
  const { B, H, pattern } = problem;
  return {
    name,
    key: sparseKey(problem, variant),
    bindings,
    uniforms: sparseUniforms(problem, variant, offsets),
    grid: [blockCount(problem) * tilesPerBlock(pattern.block, variant), H, B],
    body,
  };
}

/** What a kernel reads besides its own: `ranges` for the pattern's table, `slots` for the sparse keys. */
export interface Reads {
  readonly mask?: boolean;
  readonly ranges?: boolean;
  readonly slots?: boolean;
}

/** The read bindings, `qkv` first, of a kernel that needs these. */
export function sparseBindings(problem: SparseProblem, reads: Reads): Binding[] {
  const type = rowType(problem.d);
  return [
    read("qkv", type),
    ...(problem.masked && reads.mask ? [read("keyMask", "i32")] : []),
    ...(problem.pattern.table && reads.ranges ? [read("table", "i32")] : []),
    ...(problem.slots && reads.slots ? [read("slots", "i32")] : []),
    ...(problem.slots?.pooled && reads.slots ? [read("pooled", type)] : []),
  ];
}

/** The tensors of `sparseBindings`. */
export function sparseTensors(
  problem: SparseProblem,
  operands: SparseOperands,
  reads: Reads,
): Tensor[] {
  return [
    operands.qkv,
    ...(problem.masked && reads.mask ? [operands.keyMask!] : []),
    ...(problem.pattern.table && reads.ranges ? [operands.table!] : []),
    ...(problem.slots && reads.slots ? [operands.slots!] : []),
    ...(problem.slots?.pooled && reads.slots ? [operands.pooled!] : []),
  ];
}

/** `load_q`, `load_k` and `load_v` on the packed projection. */
export function loadPacked(d: number): string {
  return ["q", "k", "v"].map((name) => loadFunction(name, d, "qkv")).join("\n");
}

/** WGSL condition: may anyone see the key at position `j` of the sequence? */
export function keyVisible({ masked, pattern }: SparseProblem, j: string): string {
  const terms: string[] = [];
  if (masked) terms.push(`keyMask[group.z * u.Tk + ${j}] != 0`);
  if (pattern.hideFirst) terms.push(`${j} != u.globals`);
  return terms.join(" && ") || "true";
}

/** Rules of pairs whose key's visibility is already in a variable. */
export function visiblePairs(
  { pattern, dropout }: SparseProblem,
  visible: (row: number) => string,
  conditional: boolean,
): PairRules {
  return {
    allowed: (i, j, row) =>
      conditional && pattern.pair ? `${visible(row)} && ${pattern.pair(i, j)}` : visible(row),
    kept: dropout ? (i, j) => `kept(${i}, ${j}, batchHead)` : undefined,
  };
}

/**
 * Opening of a kernel whose workgroup owns a tile of text rows: `block`, the rows `first` .. `end` - 1 as text tokens and their end
 * `rowEnd` as a position.
 */
export function textTile({ threads, rows }: SparseVariant): string {
  return `let block = group.x / u.tiles;
let first = block * u.block + (group.x % u.tiles) * ${threads * rows}u;
let end = min(min((block + 1u) * u.block, first + ${threads * rows}u), u.T);
if (first >= end) { return; }
let rowEnd = u.globals + end;`;
}

/** `slot_range(side, block)`: slots before (side 0) or after the neighbours of a block. */
export const SLOT_RANGE = `fn slot_range(side: u32, block: u32) -> vec2u {
  let step = i32(u.slotStep);
  let reach = i32(u.slotReach);
  let left = (i32(block) - 1) * step - reach;
  let right = (i32(block) + i32(u.slotRight)) * step;
  let start = select(right, left, side == 0u);
  return vec2u(clamp(vec2i(start, start + reach), vec2i(0), vec2i(i32(u.slotCount))));
}`;

/** The table of a pattern on this device, made once. */
export function patternTable(gpu: Gpu, { table }: BlockPattern): Tensor | undefined {
  return table && cachedTensor(gpu, table);
}

const tables = new WeakMap<Gpu, WeakMap<Int32Array | Float32Array, Tensor>>();

/** A tensor of constants, uploaded once per device and array. */
export function cachedTensor(gpu: Gpu, data: Int32Array | Float32Array): Tensor {
  let known = tables.get(gpu);
  if (!known) tables.set(gpu, known = new WeakMap());
  let tensor = known.get(data);
  if (!tensor) known.set(data, tensor = gpu.tensor(data, [data.length], "constants").keep());
  return tensor;
}
