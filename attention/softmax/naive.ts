import {
  addScalar,
  dropout,
  gather,
  greater,
  matmul,
  mul,
  mulScalar,
  permute,
  reshape,
  slice,
  softmax,
  type Tensor,
} from "../../engine/mod.ts";
import { type AttentionOptions, attentionProblem } from "./fused.ts";
import {
  type AttentionInput,
  type AttentionOperands,
  attentionOperands,
  type SeparateInput,
} from "./operands.ts";

/**
 * Softmax attention as Vaswani et al. (2017) write it, in plain operations with the whole [T, T] matrix: what `fusedAttention` is
 * compared with. Gradients come from the tape. Same input, options and result as `fusedAttention`; memory is quadratic in T.
 */
export function naiveAttention(input: AttentionInput, options: AttentionOptions = {}): Tensor {
  return naiveAttentionWithProbabilities(input, options).output;
}

/** `naiveAttention` that also returns the attention matrix. */
export function naiveAttentionWithProbabilities(
  input: AttentionInput,
  options: AttentionOptions = {},
): { output: Tensor; probabilities: Tensor } {
  const operands = attentionOperands(input, options.heads);
  const { q, k, v } = headsFirst(input, operands);
  const probabilities = probabilitiesOf(q, k, operands, options);
  const used = options.dropout ? dropout(probabilities, options.dropout) : probabilities;
  const o = permute(matmul(used, v), [0, 2, 1, 3]); // [B, Tq, H, d]
  return { output: reshape(o, operands.outputShape), probabilities };
}

/**
 * The attention matrix softmax(scale Q K^T): how much each query takes of each key.
 *
 * @param q [B, Tq, H, d] or [B, Tq, D].
 * @param k [B, Tk, H, d] or [B, Tk, D].
 * @param options As for `fusedAttention`; dropout is not applied.
 * @returns [B, H, Tq, Tk]; a row that sees no key is all 0.
 */
export function attentionProbabilities(
  q: Tensor,
  k: Tensor,
  options: AttentionOptions = {},
): Tensor {
  const operands = attentionOperands({ q, k, v: k }, options.heads);
  const [qHeads, kHeads] = [[q, operands.Tq] as const, [k, operands.Tk] as const].map(([t, T]) =>
    toHeadsFirst(t, T, operands)
  );
  return probabilitiesOf(qHeads, kHeads, operands, options);
}

function probabilitiesOf(
  q: Tensor,
  k: Tensor,
  operands: AttentionOperands,
  options: AttentionOptions,
): Tensor {
  const { scale } = attentionProblem(operands, options);
  const visible = visibility(operands, options, q);
  const scores = matmul(q, k, { transposeB: true, scale }); // [B, H, Tq, Tk]
  if (!visible) return softmax(scores);
  const mask = mulScalar(addScalar(visible, -1), 1e30);
  const probabilities = softmax(scores, { mask });
  // Only these masks can hide every key of a row; the softmax of such a row is not 0 by itself.
  const canHideRows = options.keyMask || operands.Tq > operands.Tk;
  return canHideRows ? mul(probabilities, visible) : probabilities;
}

/** 1 where a key may be seen, else 0, in a shape that broadcasts to [B, H, Tq, Tk]; undefined when every key may be. */
function visibility(
  { B, Tq, Tk }: AttentionOperands,
  { causal = false, keyMask }: AttentionOptions,
  { gpu }: Tensor,
): Tensor | undefined {
  const keys = keyMask && gather(gpu.tensor([0, 1], [2]), 0, keyMask.view([B, 1, 1, Tk]));
  if (!causal) return keys;
  const positions = (T: number, offset: number) =>
    Float32Array.from({ length: T }, (_, i) => i + offset);
  const past = greater(
    gpu.tensor(positions(Tq, Tk - Tq + 0.5), [Tq, 1]),
    gpu.tensor(positions(Tk, 0), [1, Tk]),
  );
  return keys ? mul(keys, past) : past;
}

/** q, k and v of either input form as [B, H, T, d]. */
export function headsFirst(input: AttentionInput, operands: AttentionOperands): SeparateInput {
  const { B, H, Tq, Tk, d } = operands;
  if ("q" in input) {
    return {
      q: toHeadsFirst(input.q, Tq, operands),
      k: toHeadsFirst(input.k, Tk, operands),
      v: toHeadsFirst(input.v, Tk, operands),
    };
  }
  const parts = permute(reshape(input, [B, Tq, 3, H, d]), [2, 0, 3, 1, 4]);
  const [q, k, v] = [0, 1, 2].map((n) => reshape(slice(parts, [n], [n + 1]), [B, H, Tq, d]));
  return { q, k, v };
}

/** [B, T, H, d] or [B, T, D] to [B, H, T, d]. */
function toHeadsFirst(x: Tensor, T: number, { B, H, d }: AttentionOperands): Tensor {
  return permute(reshape(x, [B, T, H, d]), [0, 2, 1, 3]);
}
