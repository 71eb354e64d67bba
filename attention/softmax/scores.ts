import { chosenCandidate } from "../../engine/autotune/choices.ts";
import {
  add,
  affine,
  div,
  gather,
  mul,
  mulScalar,
  reshape,
  ShapeError,
  showShape,
  sub,
  sum,
  type Tensor,
} from "../../engine/mod.ts";
import { type AttentionOptions, attentionProblem } from "./fused.ts";
import { forwardKernel } from "./kernels_forward.ts";
import { naiveAttentionWithProbabilities } from "./naive.ts";
import { type AttentionInput, attentionOperands } from "./operands.ts";
import { receivedKernel } from "./scores_kernel.ts";
import { attentionTunable } from "./tuning.ts";

/** How the attention matrix A of a head becomes one number per token. */
export const ATTENTION_SCORINGS = ["row-column", "received"] as const;

/**
 * - `row-column`: (row sum + column sum - A_ii) / n, the sum of attention paid and received. Row sums are 1, so they only shift it.
 * - `received`: column sum / n, the mean attention a token receives.
 */
export type AttentionScoring = typeof ATTENTION_SCORINGS[number];

/** Attention output together with what each token received. */
export interface AttentionWithScores {
  /** As `fusedAttention` gives it. */
  readonly output: Tensor;
  /** Mean over heads, [B, T]; 0 at padding. n counts the real tokens of each sequence. */
  readonly scores: Tensor;
}

/** Options of the scoring forms: those of attention, without dropout. */
export interface AttentionScoreOptions extends Omit<AttentionOptions, "dropout"> {
  /** @default {"row-column"} */
  readonly scoring?: AttentionScoring;
}

/** Threads of a workgroup: software adapters run a workgroup on one core. */
const THREADS = { software: 8, hardware: 64 } as const;

/**
 * Self-attention that also returns each token's score, in memory linear in T: the fused forward pass leaves the log-sum of each row, from
 * which a second kernel rebuilds the probabilities column by column and adds them up. Not differentiable.
 *
 * @param input As for `fusedAttention`, with as many queries as keys. `keyMask` marks the real tokens, as queries and as keys.
 * @throws {ShapeError} If the shapes do not fit or queries and keys differ in number.
 */
export function fusedAttentionWithScores(
  input: AttentionInput,
  options: AttentionScoreOptions = {},
): AttentionWithScores {
  const operands = attentionOperands(input, options.heads);
  const { q, k, v } = operands.tensors;
  const { B, H, Tq, Tk, d } = operands;
  requireSelfAttention(Tq, Tk, q);
  const gpu = q.gpu;
  return gpu.withoutTape(() => {
    const problem = attentionProblem(operands, options);
    const variant = chosenCandidate(gpu, attentionTunable, problem).variant(d);
    const mask = options.keyMask ? [options.keyMask] : [];
    const output = gpu.empty(operands.outputShape);
    const lse = gpu.empty([B, H, Tq], "f32", "workspace");
    gpu.run(forwardKernel(problem, variant), [q, k, v, ...mask, output, lse]);
    const received = gpu.empty([B, H, Tk], "f32", "workspace");
    const own = gpu.empty([B, H, Tk], "f32", "workspace");
    gpu.run(receivedKernel(problem, THREADS[gpu.info.class]), [q, k, lse, ...mask, received, own]);
    const scores = scoresFrom(sum(received, { axes: [1] }), sum(own, { axes: [1] }), H, options);
    for (const t of [lse, received, own]) t.dispose();
    return { output, scores };
  });
}

/** `fusedAttentionWithScores` from the whole attention matrix, in plain operations: what the fused form is compared with. */
export function naiveAttentionWithScores(
  input: AttentionInput,
  options: AttentionScoreOptions = {},
): AttentionWithScores {
  const { B, H, Tq, Tk, tensors } = attentionOperands(input, options.heads);
  requireSelfAttention(Tq, Tk, tensors.q);
  const gpu = tensors.q.gpu;
  return gpu.withoutTape(() => {
    const { output, probabilities } = naiveAttentionWithProbabilities(input, options);
    const real = realTokens(options.keyMask, tensors.q, B, Tq);
    const counted = mul(probabilities, reshape(real, [B, 1, Tq, 1]));
    const received = sum(counted, { axes: [1, 2] });
    const identity = new Float32Array(Tq * Tq);
    for (let i = 0; i < Tq; i++) identity[i * Tq + i] = 1;
    const own = sum(mul(counted, gpu.tensor(identity, [Tq, Tq])), { axes: [1, 2] });
    return { output, scores: scoresFrom(received, own, H, options) };
  });
}

/** Scores [B, T] from the column sums and diagonals, both already summed over heads. */
function scoresFrom(
  received: Tensor,
  own: Tensor,
  heads: number,
  { keyMask, scoring = "row-column" }: AttentionScoreOptions,
): Tensor {
  const [B, T] = received.shape;
  const real = realTokens(keyMask, received, B, T);
  const count = affine(sum(real, { axes: [1], keepDims: true }), heads, 0);
  // A row of the softmax sums to 1 wherever the token is real, so row sums need no kernel.
  const total = scoring === "received" ? received : add(sub(received, own), mulScalar(real, heads));
  return mul(div(total, addTiny(count)), real);
}

/** Keeps a sequence that is all padding from dividing by 0. */
const addTiny = (count: Tensor) => affine(count, 1, 1e-20);

/** 1 for real tokens and 0 for padding, f32 [B, T]. */
function realTokens(keyMask: Tensor | undefined, like: Tensor, B: number, T: number): Tensor {
  const { gpu } = like;
  if (!keyMask) return gpu.full([B, T], 1);
  return gather(gpu.tensor([0, 1], [2]), 0, keyMask.view([B, T]));
}

function requireSelfAttention(Tq: number, Tk: number, q: Tensor): void {
  if (Tq === Tk) return;
  throw new ShapeError(
    `Cannot score tokens: q ${
      showShape(q.shape)
    } has ${Tq} positions and k ${Tk}, expected as many`,
  );
}
