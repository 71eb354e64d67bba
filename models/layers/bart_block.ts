import { fusedAttention, naiveAttention } from "../../attention/mod.ts";
import { matmul, type ParameterSet, type Tensor } from "../../engine/mod.ts";
import type { EncoderAttentionCall } from "../encoder_attention.ts";
import {
  type BertBlock,
  type BertLinear,
  declareBertBlock,
  declareBertLinear,
} from "./bert_block.ts";
import { applyNorm, declareNorm, type NormWeights } from "./norm.ts";
import { type DropoutSite, maybeDropout, residualLinear } from "./regularization.ts";

/** Attention of a decoder layer over the states of the encoder. */
export interface CrossAttention {
  readonly query: BertLinear;
  readonly key: BertLinear;
  readonly value: BertLinear;
  readonly projection: BertLinear;
  readonly norm: NormWeights;
}

/** Parameters of a decoder layer. */
export interface BartDecoderBlock extends BertBlock {
  readonly cross: CrossAttention;
}

/** Declares a decoder layer of width `width`. */
export function declareBartDecoderBlock(
  set: ParameterSet,
  name: string,
  width: number,
  intermediate: number,
  std: number,
): BartDecoderBlock {
  const linear = (part: string) =>
    declareBertLinear(set, `${name}.cross.${part}`, width, width, std);
  return {
    ...declareBertBlock(set, name, width, intermediate, std),
    cross: {
      query: linear("query"),
      key: linear("key"),
      value: linear("value"),
      projection: linear("output"),
      norm: declareNorm(set, `${name}.cross.norm`, width),
    },
  };
}

/** What encoder and decoder layers have in common. */
export interface BartBlockCall {
  /** Norm before each sublayer (mBART, Pegasus) instead of after its residual (BART). */
  readonly preNorm: boolean;
  readonly activation: "gelu" | "geluTanh" | "relu";
  /** Dropout of `projection`, `cross.projection`, `activation` or `mlp`. */
  readonly dropout: (place: string) => DropoutSite | undefined;
}

/** Layer of x [B, N, D] whose self-attention `attend` maps packed query, key and value [B, N, 3D] to [B, N, D]. */
export function applyBartBlock(
  block: BertBlock,
  x: Tensor,
  call: BartBlockCall,
  attend: (qkv: Tensor) => Tensor,
  cross?: (x: Tensor) => Tensor,
): Tensor {
  const { activation, dropout } = call;
  x = sublayer(x, block.attentionNorm, call, (z, residual) => {
    const mixed = attend(matmul(z, block.qkv.weight, { bias: block.qkv.bias }));
    return residualLinear(residual, mixed, block.projection, dropout("projection"));
  });
  if (cross) x = cross(x);
  return sublayer(x, block.outputNorm, call, (z, residual) => {
    const inner = matmul(z, block.mlpIn.weight, { bias: block.mlpIn.bias, activation });
    const kept = maybeDropout(inner, dropout("activation"));
    return residualLinear(residual, kept, block.mlpOut, dropout("mlp"));
  });
}

/** How a decoder layer attends. */
export interface BartDecoderCall extends BartBlockCall {
  readonly heads: number;
  readonly form: "fused" | "naive";
  /** 1 for real tokens of the decoder's input, i32 [B, T]. */
  readonly keyMask?: Tensor;
  /** States of the encoder [B, S, D] and their mask i32 [B, S]. */
  readonly encoded: { readonly states: Tensor; readonly keyMask?: Tensor };
  /** Dropout of the probabilities of `attention` or `cross.attention`. */
  readonly attentionDropout: (place: string) => EncoderAttentionCall["dropout"];
}

/** Decoder layer of x [B, T, D]: causal self-attention, full attention over the encoder's states, MLP. */
export function applyBartDecoderBlock(
  block: BartDecoderBlock,
  x: Tensor,
  call: BartDecoderCall,
): Tensor {
  const { heads, keyMask, encoded, attentionDropout } = call;
  const attend = call.form === "fused" ? fusedAttention : naiveAttention;
  const causal = { heads, causal: true, keyMask, dropout: attentionDropout("attention") };
  return applyBartBlock(block, x, call, (qkv) => attend(qkv, causal), (x) => {
    const { query, key, value, projection, norm } = block.cross;
    return sublayer(x, norm, call, (z, residual) => {
      const linear = (input: Tensor, { weight, bias }: BertLinear) =>
        matmul(input, weight, { bias });
      const input = {
        q: linear(z, query),
        k: linear(encoded.states, key),
        v: linear(encoded.states, value),
      };
      const dropout = attentionDropout("cross.attention");
      const mixed = attend(input, { heads, keyMask: encoded.keyMask, dropout });
      return residualLinear(residual, mixed, projection, call.dropout("cross.projection"));
    });
  });
}

/** x + f(LN(x)) or LN(x + f(x)); `body` adds the residual itself. */
function sublayer(
  x: Tensor,
  norm: NormWeights,
  { preNorm }: BartBlockCall,
  body: (z: Tensor, residual: Tensor) => Tensor,
): Tensor {
  return preNorm ? body(applyNorm(x, norm), x) : applyNorm(body(x, x), norm);
}
