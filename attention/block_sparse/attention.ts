import { ShapeError, showShape, type Tensor } from "../../engine/mod.ts";
import { type AttentionDropout, attentionProblem } from "../softmax/fused.ts";
import { rowDotKernel } from "../softmax/kernels_backward.ts";
import type { GradientOffsets } from "../softmax/kernels_problem.ts";
import { type AttentionOperands, attentionOperands } from "../softmax/operands.ts";
import {
  KEY_READS,
  QUERY_READS,
  SLOT_READS,
  slotGradientKernel,
  sparseKeyGradientKernel,
  sparseQueryGradientKernel,
} from "./kernels_backward.ts";
import { FORWARD_READS, sparseForwardKernel } from "./kernels_forward.ts";
import {
  GLOBAL_READS,
  globalCombineKernel,
  globalCopyKernel,
  globalGradientCombineKernel,
  globalGradientPartKernel,
  globalPartKernel,
  globalParts,
  gradientPartSize,
  outputPartSize,
} from "./kernels_global.ts";
import type { BlockPattern, SlotPattern } from "./pattern.ts";
import {
  patternTable,
  type Reads,
  type SparseOperands,
  type SparseProblem,
  sparseTensors,
} from "./problem.ts";
import { type SparseVariant, sparseVariant } from "./variant.ts";

/** Options that every block-sparse mechanism takes. */
export interface BlockSparseOptions {
  /** Number of heads; needed when the input has no head dimension. */
  readonly heads?: number;
  /** i32 [B, N], 1 where a position may be seen as key. The globals' entries count as well. */
  readonly keyMask?: Tensor;
  /** Factor on the scores. @default {1 / Math.sqrt(d)} */
  readonly scale?: number;
  readonly dropout?: AttentionDropout;
}

/** Options of the fused forms. */
export interface FusedBlockSparseOptions extends BlockSparseOptions {
  /** Forces a split of the work. @default {by adapter class and width} */
  readonly variant?: SparseVariant;
}

/** The sparse keys of one call. */
export interface SelectedSlots {
  readonly pattern: SlotPattern;
  readonly slots: Tensor;
  readonly pooled?: Tensor;
  /** Everything to release when the call is over, `slots` and `pooled` among them. */
  readonly owned: readonly Tensor[];
  /** Adds what the pooled keys and values receive to the packed gradient. */
  readonly backward?: (pooledGradient: Tensor, gradient: Tensor) => void;
}

/**
 * Sizes of a packed input, which has to hold text behind its globals.
 *
 * @throws {ShapeError} If it does not, or is no packed input.
 */
export function sparseOperands(
  qkv: Tensor,
  globals: number,
  heads: number | undefined,
): AttentionOperands {
  const operands = attentionOperands(qkv, heads);
  if (operands.Tk > globals) return operands;
  throw new ShapeError(
    `Cannot attend: the input ${
      showShape(qkv.shape)
    } has ${operands.Tk} positions, expected more than the ${globals} globals`,
  );
}

/** Checks the packed input and gives the problem of a pattern on it. */
export function sparseProblem(
  qkv: Tensor,
  pattern: BlockPattern,
  { heads, keyMask, scale, dropout }: BlockSparseOptions,
): { problem: SparseProblem; outputShape: readonly number[] } {
  const operands = sparseOperands(qkv, pattern.globals, heads);
  const plain = attentionProblem(operands, { keyMask, scale, dropout });
  return { problem: { ...plain, pattern }, outputShape: operands.outputShape };
}

/**
 * Attention of a block pattern, fused: memory linear in N, forward and backward work proportional to the visible pairs.
 *
 * @param qkv [B, N, 3, H, d] or [B, N, 3D]; the first `pattern.globals` of the N positions are the globals.
 * @param select Makes the sparse keys of LSG from the checked problem.
 * @returns [B, N, H, d] or [B, N, D].
 * @throws {ShapeError} If the shapes do not fit.
 */
export function blockSparseAttention(
  qkv: Tensor,
  pattern: BlockPattern,
  options: FusedBlockSparseOptions,
  select?: (problem: SparseProblem) => SelectedSlots | undefined,
): Tensor {
  const { gpu } = qkv;
  const base = sparseProblem(qkv, pattern, options);
  const selected = gpu.withoutTape(() => select?.(base.problem));
  const problem: SparseProblem = { ...base.problem, slots: selected?.pattern };
  const { B, H, Tk: N, d } = problem;
  const variant = options.variant ?? sparseVariant(gpu.info, d, pattern.block);
  const operands: SparseOperands = {
    qkv,
    keyMask: options.keyMask,
    table: patternTable(gpu, pattern),
    slots: selected?.slots,
    pooled: selected?.pooled,
  };
  const output = gpu.empty(base.outputShape);
  const lse = gpu.empty([B, H, N]);
  const read = (reads: Reads) => sparseTensors(problem, operands, reads);
  gpu.run(sparseForwardKernel(problem, variant), [...read(FORWARD_READS), output, lse]);
  if (pattern.causal) {
    gpu.run(globalCopyKernel(problem, variant), [...read({}), output, lse]);
  } else {
    const shape = [B, H, pattern.globals, globalParts(problem), 4 * outputPartSize(d)];
    const partial = gpu.empty(shape, "f32", "workspace");
    gpu.run(globalPartKernel(problem, variant), [...read(GLOBAL_READS), partial]);
    gpu.run(globalCombineKernel(problem, variant), [partial, output, lse]);
    partial.dispose();
  }
  const saved = [lse, ...(selected?.owned ?? [])];
  if (!gpu.isRecording(qkv)) {
    saved.forEach((t) => t.dispose());
    return output;
  }
  return gpu.record({
    op: `blockSparseAttention ${pattern.name}`,
    inputs: [qkv],
    output,
    saved,
    backward: (gradient) => [
      backward(problem, variant, operands, selected, { output, lse, gradient }),
    ],
  });
}

interface Saved {
  readonly output: Tensor;
  readonly lse: Tensor;
  readonly gradient: Tensor;
}

function backward(
  problem: SparseProblem,
  variant: SparseVariant,
  operands: SparseOperands,
  selected: SelectedSlots | undefined,
  { output, lse, gradient }: Saved,
): Tensor {
  const { qkv } = operands;
  const { gpu } = qkv;
  const { B, H, d, pattern } = problem;
  const offsets: GradientOffsets = {
    q: problem.q.offset,
    k: problem.k.offset,
    v: problem.v.offset,
  };
  const result = gpu.empty(qkv.shape);
  const rowDot = gpu.empty(lse.shape, "f32", "workspace");
  gpu.run(rowDotKernel(problem), [output, gradient, rowDot]);
  const tensors = (reads: Reads, target: Tensor) => [
    ...sparseTensors(problem, operands, reads),
    ...[gradient, lse, rowDot, target],
  ];
  gpu.run(sparseQueryGradientKernel(problem, variant, offsets), tensors(QUERY_READS, result));
  gpu.run(sparseKeyGradientKernel(problem, variant, offsets), tensors(KEY_READS, result));
  const shape = [B, H, pattern.globals, globalParts(problem), 4 * gradientPartSize(d)];
  const partial = gpu.empty(shape, "f32", "workspace");
  gpu.run(globalGradientPartKernel(problem, variant), tensors(GLOBAL_READS, partial));
  gpu.run(globalGradientCombineKernel(problem, variant, offsets), [partial, result]);
  partial.dispose();
  if (selected) {
    const pooledGradient = selected.pooled &&
      gpu.empty(selected.pooled.shape, "f32", "workspace");
    gpu.run(
      slotGradientKernel(problem, variant, offsets),
      tensors(SLOT_READS, pooledGradient ?? result),
    );
    if (pooledGradient) selected.backward!(pooledGradient, result);
    pooledGradient?.dispose();
  }
  rowDot.dispose();
  return result;
}
