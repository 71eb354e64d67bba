import {
  add,
  addScalar,
  crossEntropy,
  gather,
  matmul,
  mulScalar,
  type ParameterSet,
  reshape,
  slice,
  type Tensor,
} from "../../engine/mod.ts";
import { type BertLinear, declareBertLinear } from "./bert_block.ts";

/** Logits [B, T] of the first and the last token of an answer. */
export interface SpanLogits {
  readonly start: Tensor;
  readonly end: Tensor;
}

/** What a logit of a place that cannot be an answer is lowered by. */
const HIDDEN = 1e30;

/** Declares the affine map [D, 2] of extractive question answering (Devlin et al. 2019, section 4.2). */
export function declareSpanHead(set: ParameterSet, width: number, std: number): BertLinear {
  return declareBertLinear(set, "span", width, 2, std);
}

/**
 * Logits of hidden states [B, T, D].
 *
 * @param keyMask i32 [B, T]; where it is 0 the logit is about -1e30.
 */
export function spanHeadLogits(
  { weight, bias }: BertLinear,
  hidden: Tensor,
  keyMask: Tensor | undefined,
): SpanLogits {
  const [B, T] = hidden.shape;
  const both = matmul(hidden, weight, { bias });
  const hide = keyMask &&
    mulScalar(addScalar(gather(hidden.gpu.tensor([0, 1], [2]), 0, keyMask), -1), HIDDEN);
  const part = (n: number) => {
    const logits = reshape(slice(both, [0, 0, n], [B, T, n + 1]), [B, T]);
    return hide ? add(logits, hide) : logits;
  };
  return { start: part(0), end: part(1) };
}

/** Mean of the cross-entropies in nats of the first and last places i32 [B]; -1 is ignored. */
export function spanHeadLoss({ start, end }: SpanLogits, first: Tensor, last: Tensor): Tensor {
  return mulScalar(add(crossEntropy(start, first), crossEntropy(end, last)), 0.5);
}
