import { chosenCandidate } from "../../engine/autotune/choices.ts";
import { type Gpu, ShapeError, showShape, type Tensor } from "../../engine/mod.ts";
import { keyGradientKernel, queryGradientKernel, rowDotKernel } from "./kernels_backward.ts";
import { forwardKernel } from "./kernels_forward.ts";
import type { AttentionProblem, GradientOffsets } from "./kernels_problem.ts";
import { type AttentionInput, type AttentionOperands, attentionOperands } from "./operands.ts";
import { attentionTunable } from "./tuning.ts";
import type { AttentionVariant } from "./variants.ts";

/** Dropout on attention probabilities. The mask is a function of these numbers alone and never stored. */
export interface AttentionDropout {
  /** Probability of dropping, in [0, 1). */
  readonly p: number;
  readonly seed: number;
  readonly stream: number;
}

/** Options of softmax attention in every form. */
export interface AttentionOptions {
  /** Number of heads; needed when the input has no head dimension. */
  readonly heads?: number;
  /** Query i sees keys j <= i + Tk - Tq only. @default {false} */
  readonly causal?: boolean;
  /** i32 [B, Tk], 1 where the key may be seen. A row that sees no key gives output 0 and gradient 0. */
  readonly keyMask?: Tensor;
  /** Factor on the scores. @default {1 / Math.sqrt(d)} */
  readonly scale?: number;
  readonly dropout?: AttentionDropout;
}

/** Options of `fusedAttention`. */
export interface FusedAttentionOptions extends AttentionOptions {
  /** Forces a kernel variant. @default {the tuned one, else by adapter class} */
  readonly variant?: AttentionVariant;
}

/** Tensors start at multiples of this many elements: the strictest offset alignment WebGPU allows an adapter. */
const ALIGNMENT = 64;

/**
 * Scaled dot-product attention (Vaswani et al. 2017, section 3.2.1) with online softmax: softmax(scale Q K^T) V in memory linear in
 * T. Forward keeps O and one number per row; backward recomputes the probabilities.
 *
 * @param input qkv [B, T, 3, H, d] or [B, T, 3D], or { q [B, Tq, H, d], k [B, Tk, H, d], v [B, Tk, H, d] }.
 * @param options Heads, mask, scale, dropout and kernel variant.
 * @returns [B, Tq, D] for input of rank 3, else [B, Tq, H, d].
 * @throws {ShapeError} If the shapes do not fit.
 * @throws {RangeError} If the dropout probability is not in [0, 1).
 */
export function fusedAttention(input: AttentionInput, options: FusedAttentionOptions = {}): Tensor {
  const operands = attentionOperands(input, options.heads);
  const { keyMask } = options;
  const { q, k, v } = operands.tensors;
  const { B, H, Tq, d } = operands;
  const gpu = q.gpu;
  const problem = attentionProblem(operands, options);
  const variant = options.variant ??
    chosenCandidate(gpu, attentionTunable, problem).variant(d);
  const output = gpu.empty(operands.outputShape);
  const lse = gpu.empty([B, H, Tq]);
  gpu.run(forwardKernel(problem, variant), [
    ...[q, k, v],
    ...(keyMask ? [keyMask] : []),
    ...[output, lse],
  ]);
  if (!gpu.isRecording(...operands.inputs)) {
    lse.dispose();
    return output;
  }
  return gpu.record({
    op: "fusedAttention",
    inputs: operands.inputs,
    output,
    saved: [lse],
    backward: (gradient, needs) =>
      backward(gpu, problem, variant, operands, { output, lse, gradient, keyMask }, needs),
  });
}

/** Sizes and options as the kernels want them; checks mask and dropout. */
export function attentionProblem(
  operands: AttentionOperands,
  options: AttentionOptions,
): AttentionProblem {
  const { B, H, Tq, Tk, d, layouts } = operands;
  const { causal = false, keyMask, scale = 1 / Math.sqrt(d), dropout } = options;
  if (keyMask && (keyMask.dtype !== "i32" || keyMask.size !== B * Tk || keyMask.dim(-1) !== Tk)) {
    throw new ShapeError(
      `Cannot mask keys: keyMask is ${keyMask.dtype} ${
        showShape(keyMask.shape)
      }, expected i32 [${B}, ${Tk}]`,
    );
  }
  if (dropout && !(dropout.p >= 0 && dropout.p < 1)) {
    throw new RangeError(`Cannot drop out: p is ${dropout.p}, expected 0 <= p < 1`);
  }
  return {
    ...{ B, H, Tq, Tk, d, scale, causal, ...layouts },
    masked: keyMask !== undefined,
    dropout: dropout && dropout.p > 0 ? dropout : undefined,
  };
}

interface Saved {
  readonly output: Tensor;
  readonly lse: Tensor;
  readonly gradient: Tensor;
  readonly keyMask: Tensor | undefined;
}

function backward(
  gpu: Gpu,
  problem: AttentionProblem,
  variant: AttentionVariant,
  operands: AttentionOperands,
  { output, lse, gradient, keyMask }: Saved,
  needs: readonly boolean[],
): (Tensor | undefined)[] {
  const { q, k, v } = operands.tensors;
  const rowDot = gpu.empty(lse.shape, "f32", "workspace");
  gpu.run(rowDotKernel(problem), [output, gradient, rowDot]);
  const needsQuery = needs[0];
  const needsKey = operands.packed || needs[1] || needs[2];
  const { buffer, offsets } = gradientBuffer(gpu, problem, operands, needsQuery, needsKey);
  const tensors = [q, k, v, gradient, lse, rowDot, ...(keyMask ? [keyMask] : []), buffer];
  if (needsQuery) gpu.run(queryGradientKernel(problem, variant, offsets), tensors);
  if (needsKey) gpu.run(keyGradientKernel(problem, variant, offsets), tensors);
  rowDot.dispose();
  if (operands.packed) return [buffer];
  const views = [
    needs[0] ? buffer.view(q.shape, offsets.q) : undefined,
    needs[1] ? buffer.view(k.shape, offsets.k) : undefined,
    needs[2] ? buffer.view(v.shape, offsets.v) : undefined,
  ];
  buffer.dispose();
  return views;
}

/**
 * One buffer for all gradients, since a kernel cannot bind three more: laid out as the packed input, or as sections for q, k and v
 * of which only the needed ones take space.
 */
function gradientBuffer(
  gpu: Gpu,
  problem: AttentionProblem,
  { packed, tensors }: AttentionOperands,
  needsQuery: boolean,
  needsKey: boolean,
): { buffer: Tensor; offsets: GradientOffsets } {
  if (packed) {
    const { q, k, v } = problem;
    return {
      buffer: gpu.empty(tensors.q.shape),
      offsets: { q: q.offset, k: k.offset, v: v.offset },
    };
  }
  const section = (size: number) => Math.ceil(size / ALIGNMENT) * ALIGNMENT;
  const keyStart = needsQuery ? section(tensors.q.size) : 0;
  const valueStart = keyStart + (needsKey ? section(tensors.k.size) : 0);
  const end = valueStart + (needsKey ? tensors.v.size : 0);
  return { buffer: gpu.empty([end]), offsets: { q: 0, k: keyStart, v: valueStart } };
}
