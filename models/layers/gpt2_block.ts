import { fusedAttention, naiveAttention } from "../../attention/mod.ts";
import {
  add,
  constant,
  matmul,
  mulScalar,
  normal,
  type Parameter,
  type ParameterSet,
  type Tensor,
} from "../../engine/mod.ts";
import { type LoraBranch, loraQkv } from "./lora.ts";
import { applyNorm, declareNorm, type NormWeights } from "./norm.ts";
import { type DropoutSite, residualLinear } from "./regularization.ts";

/** Weight [in, out] and bias of an affine map. */
export interface AffineWeights {
  readonly weight: Parameter;
  readonly bias: Parameter;
}

/** Parameters of one block; names and layouts ([in, out]) are those of published GPT-2 checkpoints. */
export interface Gpt2Block {
  readonly name: string;
  readonly norm1: NormWeights;
  readonly qkv: AffineWeights;
  readonly projection: AffineWeights;
  readonly norm2: NormWeights;
  readonly mlpIn: AffineWeights;
  readonly mlpOut: AffineWeights;
}

/** Options of `declareGpt2Block`. */
export interface Gpt2BlockOptions {
  /** Standard deviation of the initial weights. */
  readonly std: number;
  /** Blocks a token passes; residual projections start at std / sqrt(2 depth). */
  readonly depth: number;
  /** False freezes both projections of the attention; norms and MLP are trained. @default {true} */
  readonly trainAttention?: boolean;
}

/** Declares a block of width `width`. */
export function declareGpt2Block(
  set: ParameterSet,
  name: string,
  width: number,
  { std, depth, trainAttention = true }: Gpt2BlockOptions,
): Gpt2Block {
  const linear = (
    part: string,
    inputs: number,
    outputs: number,
    deviation: number,
    trainable = true,
  ) => ({
    weight: set.add(`${name}.${part}.weight`, [inputs, outputs], normal(deviation), { trainable }),
    bias: set.add(`${name}.${part}.bias`, [outputs], constant(0), { trainable }),
  });
  const residual = std / Math.sqrt(2 * depth);
  return {
    name,
    norm1: declareNorm(set, `${name}.ln_1`, width),
    qkv: linear("attn.c_attn", width, 3 * width, std, trainAttention),
    projection: linear("attn.c_proj", width, width, residual, trainAttention),
    norm2: declareNorm(set, `${name}.ln_2`, width),
    mlpIn: linear("mlp.c_fc", width, 4 * width, std),
    mlpOut: linear("mlp.c_proj", 4 * width, width, residual),
  };
}

/** Options of `applyGpt2Block`. */
export interface Gpt2BlockCall {
  readonly heads: number;
  /** @default {"fused"} */
  readonly attention?: "naive" | "fused";
  /** 1 for real tokens, i32 [B, T]. */
  readonly keyMask?: Tensor;
  /** Dropout of a place in the block: `attention`, `projection` or `mlp`. */
  readonly dropout?: (place: string) => DropoutSite | undefined;
  /** Low-rank attentions beside the block's own. */
  readonly branches?: readonly LoraBranch[];
}

/** Pre-norm block: causal self-attention and a tanh-GELU MLP, each added to x [B, T, D]. */
export function applyGpt2Block(block: Gpt2Block, x: Tensor, call: Gpt2BlockCall): Tensor {
  const site = call.dropout ?? (() => undefined);
  const mixed = mixTokens(block.qkv, applyNorm(x, block.norm1), call);
  x = residualLinear(x, mixed, block.projection, site("projection"));
  const inner = matmul(applyNorm(x, block.norm2), block.mlpIn.weight, {
    bias: block.mlpIn.bias,
    activation: "geluTanh",
  });
  return residualLinear(x, inner, block.mlpOut, site("mlp"));
}

/** Attention before its output projection, low-rank branches added: [B, T, D] of normed z [B, T, D]. */
export function mixTokens(
  qkv: { readonly weight: Tensor; readonly bias?: Tensor },
  z: Tensor,
  { heads, attention = "fused", keyMask, dropout, branches = [] }: Gpt2BlockCall,
): Tensor {
  const attend = attention === "fused" ? fusedAttention : naiveAttention;
  const options = { heads, causal: true, keyMask, dropout: dropout?.("attention") };
  let mixed = attend(matmul(z, qkv.weight, { bias: qkv.bias }), options);
  for (const branch of branches) {
    mixed = add(mixed, mulScalar(attend(loraQkv(z, branch), options), branch.scale));
  }
  return mixed;
}

/** Multiply-adds of a block's matrix products over `rows` positions, counted as two operations each; attention itself is apart. */
export function gpt2BlockProducts(rows: number, width: number): number {
  return 24 * rows * width ** 2;
}
