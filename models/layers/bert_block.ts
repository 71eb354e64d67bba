import { type AttentionScoring, fusedAttentionWithScores } from "../../attention/mod.ts";
import {
  add,
  constant,
  dropout,
  layerNorm,
  matmul,
  normal,
  type Parameter,
  type ParameterSet,
  type Tensor,
} from "../../engine/mod.ts";
import { attend, type EncoderAttentionCall } from "../encoder_attention.ts";
import { declareNorm, type NormWeights } from "./norm.ts";
import type { DropoutSite } from "./regularization.ts";

/** Weight [in, out] and bias of an affine map. */
export interface BertLinear {
  readonly weight: Parameter;
  readonly bias: Parameter;
}

/** Parameters of one encoder layer; query, key and value are packed into one [D, 3D]. */
export interface BertBlock {
  readonly qkv: BertLinear;
  readonly projection: BertLinear;
  readonly attentionNorm: NormWeights;
  readonly mlpIn: BertLinear;
  readonly mlpOut: BertLinear;
  readonly outputNorm: NormWeights;
}

/** Declares an affine map with normal weights and zero bias. */
export function declareBertLinear(
  set: ParameterSet,
  name: string,
  inputs: number,
  outputs: number,
  std: number,
): BertLinear {
  return {
    weight: set.add(`${name}.weight`, [inputs, outputs], normal(std)),
    bias: set.add(`${name}.bias`, [outputs], constant(0)),
  };
}

/** Declares a layer of width `width`. */
export function declareBertBlock(
  set: ParameterSet,
  name: string,
  width: number,
  intermediate: number,
  std: number,
): BertBlock {
  return {
    qkv: declareBertLinear(set, `${name}.attention.qkv`, width, 3 * width, std),
    projection: declareBertLinear(set, `${name}.attention.output`, width, width, std),
    attentionNorm: declareNorm(set, `${name}.attention.norm`, width),
    mlpIn: declareBertLinear(set, `${name}.mlp.in`, width, intermediate, std),
    mlpOut: declareBertLinear(set, `${name}.mlp.out`, intermediate, width, std),
    outputNorm: declareNorm(set, `${name}.output.norm`, width),
  };
}

/** How a layer is run. `dropout` is that of the attention probabilities. */
export interface BertBlockCall extends EncoderAttentionCall {
  readonly epsilon: number;
  readonly activation: "gelu" | "geluTanh" | "relu";
  /** Dropout of a residual branch, `projection` or `mlp`. */
  readonly residualDropout: (place: string) => DropoutSite | undefined;
}

/** Packed query, key and value [B, T, 3D] of x [B, T, D]. */
export function bertProjection(block: BertBlock, x: Tensor): Tensor {
  return matmul(x, block.qkv.weight, { bias: block.qkv.bias });
}

/** Post-norm layer: LN(x + attention(x)), then LN(y + MLP(y)). */
export function applyBertBlock(block: BertBlock, x: Tensor, call: BertBlockCall): Tensor {
  return finishBertBlock(block, x, attend(bertProjection(block, x), call), call);
}

/** `applyBertBlock` that also gives the attention scores [B, T] of the layer; not differentiable. */
export function applyBertBlockWithScores(
  block: BertBlock,
  x: Tensor,
  call: BertBlockCall & { readonly scoring: AttentionScoring },
): { output: Tensor; scores: Tensor } {
  const { heads, keyMask, scoring } = call;
  const { output, scores } = fusedAttentionWithScores(bertProjection(block, x), {
    heads,
    keyMask,
    scoring,
  });
  return { output: finishBertBlock(block, x, output, call), scores };
}

/** The rest of a layer after its attention [B, T, D]. */
export function finishBertBlock(
  block: BertBlock,
  x: Tensor,
  mixed: Tensor,
  call: Pick<BertBlockCall, "epsilon" | "activation" | "residualDropout">,
): Tensor {
  const norm = ({ weight, bias }: NormWeights, t: Tensor) =>
    layerNorm(t, weight, bias, { epsilon: call.epsilon });
  const attended = norm(
    block.attentionNorm,
    residual(x, mixed, block.projection, call.residualDropout("projection")),
  );
  const inner = matmul(attended, block.mlpIn.weight, {
    bias: block.mlpIn.bias,
    activation: call.activation,
  });
  return norm(
    block.outputNorm,
    residual(attended, inner, block.mlpOut, call.residualDropout("mlp")),
  );
}

function residual(
  x: Tensor,
  y: Tensor,
  { weight, bias }: BertLinear,
  site: DropoutSite | undefined,
): Tensor {
  if (!site) return matmul(y, weight, { bias, residual: x });
  return add(x, dropout(matmul(y, weight, { bias }), site));
}
