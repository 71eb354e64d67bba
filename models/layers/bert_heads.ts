import {
  add,
  constant,
  layerNorm,
  linearCrossEntropy,
  matmul,
  type Parameter,
  type ParameterSet,
  type Tensor,
} from "../../engine/mod.ts";
import { type BertLinear, declareBertLinear } from "./bert_block.ts";
import { declareNorm, type NormWeights } from "./norm.ts";
import { type DropoutSite, maybeDropout } from "./regularization.ts";

/** Pooler and classifier over the first token. */
export interface ClassificationHead {
  readonly pooler: BertLinear;
  readonly output: BertLinear;
}

/** Transform to the token table's width E and output bias of the masked-language-model head; its output matrix is the token table. */
export interface BertMaskedHead {
  readonly transform: BertLinear;
  readonly norm: NormWeights;
  readonly bias: Parameter;
}

/** Declares pooler [D, D] and classifier [D, C]. */
export function declareClassificationHead(
  set: ParameterSet,
  width: number,
  classes: number,
  std: number,
): ClassificationHead {
  return {
    pooler: declareBertLinear(set, "pooler", width, width, std),
    output: declareBertLinear(set, "classifier", width, classes, std),
  };
}

/** Declares the masked-language-model head over a token table [V, E]. */
export function declareBertMaskedHead(
  set: ParameterSet,
  width: number,
  [vocabSize, embeddingWidth]: readonly number[],
  std: number,
): BertMaskedHead {
  return {
    transform: declareBertLinear(set, "masked.transform", width, embeddingWidth, std),
    norm: declareNorm(set, "masked.norm", embeddingWidth),
    bias: set.add("masked.bias", [vocabSize], constant(0)),
  };
}

/** Logits [B, C] of first-token states [B, D]. */
export function classificationLogits(
  { pooler, output }: ClassificationHead,
  first: Tensor,
  activation: "tanh" | "relu" | "gelu",
  site: DropoutSite | undefined,
): Tensor {
  const pooled = matmul(first, pooler.weight, { bias: pooler.bias, activation });
  return matmul(maybeDropout(pooled, site), output.weight, { bias: output.bias });
}

/** How the masked head is run. */
export interface MaskedHeadCall {
  readonly normEpsilon: number;
  readonly activation: "gelu" | "geluTanh" | "relu";
}

/** Logits [..., V] of hidden states [..., D]. */
export function maskedHeadLogits(
  head: BertMaskedHead,
  hidden: Tensor,
  tokens: Tensor,
  call: MaskedHeadCall,
): Tensor {
  return add(matmul(transform(head, hidden, call), tokens, { transposeB: true }), head.bias);
}

/** Mean cross-entropy of hidden states [N, D] with targets i32 [N], without holding all logits. */
export function maskedHeadLoss(
  head: BertMaskedHead,
  hidden: Tensor,
  tokens: Tensor,
  targets: Tensor,
  call: MaskedHeadCall,
): Tensor {
  return linearCrossEntropy(transform(head, hidden, call), tokens, targets, { bias: head.bias });
}

function transform(
  { transform: { weight, bias }, norm }: BertMaskedHead,
  hidden: Tensor,
  { normEpsilon: epsilon, activation }: MaskedHeadCall,
): Tensor {
  const inner = matmul(hidden, weight, { bias, activation });
  return layerNorm(inner, norm.weight, norm.bias, { epsilon });
}
