import { attendsFully, lsgSlotPattern, selectionOf } from "../attention/lsg/mod.ts";
import type { BertConfig } from "./bert_config.ts";
import { type EncoderAttention, isSparse, prependedGlobals } from "./encoder_attention.ts";

/** Options of `bertActivationBytes`. */
export interface ActivationBytesOptions {
  /** Dropout is on. @default {true where the configuration has any} */
  readonly dropout?: boolean;
  /** A key mask is given. @default {true} */
  readonly masked?: boolean;
}

/**
 * Bytes that a training pass of the encoder over [B, T] keeps for backward, heads not counted: its activations at the loss, where a step has its
 * peak. Parameters, their gradients and the moments of the optimizer come on top, and what one layer's backward needs for a moment.
 */
export function bertActivationBytes(
  config: Required<BertConfig>,
  B: number,
  T: number,
  options: ActivationBytesOptions = {},
): number {
  const { width: D, intermediate, embeddingWidth: E, layers, attention } = config;
  const { masked = true } = options;
  const on = (p: number) => p > 0 && options.dropout !== false;
  const G = prependedGlobals(attention);
  const rows = B * (G + T);
  // Token, position and type sums; globals in front; norm with its statistics; dropout; the map to the layers' width.
  const sums = (config.tokenTypes > 0 ? 3 : 2) + (config.positionIds === "index" ? 0 : 1);
  const embeddings = B * T * E * sums + (G > 0 ? rows * E + B * G * E : 0) +
    rows * (E + 2 + (on(config.dropout) ? E : 0) + (config.embeddingMapping ? D : 0));
  // Packed projection, two residual sums, two norms, the MLP before and after its non-linearity. Dropout keeps two more per residual.
  const layer = rows * (3 * D + 4 * D + 4 + 2 * intermediate + (on(config.dropout) ? 4 * D : 0));
  const mixed = attentionElements(attention, config, B, T, {
    ...{ masked, dropout: on(config.attentionDropout) },
  });
  return 4 * (embeddings + layers * (layer + mixed));
}

/** Values that one layer's attention keeps, its output among them. */
function attentionElements(
  attention: EncoderAttention,
  { width: D, heads: H }: Pick<BertConfig, "width" | "heads">,
  B: number,
  T: number,
  { masked, dropout }: { masked: boolean; dropout: boolean },
): number {
  const N = prependedGlobals(attention) + T;
  const naive = isSparse(attention) ? attention.form === "naive" : attention === "naive";
  if (naive) {
    // Heads-first copies of query, key, value and output, and the matrix after each step; a mask is spread over it and then multiplied in.
    return B * (8 * D * N + H * N * N * (2 + 2 * Number(masked) + Number(dropout)));
  }
  return B * (N * (D + H) + (isSparse(attention) ? slotElements(attention, D, H, T) : 0));
}

/**
 * Sparse keys of local-sparse-global attention: an index or a visibility each; the pooled types keep key, value and the tokens' weights, and
 * lsh which centroid each token went to.
 */
function slotElements(attention: EncoderAttention, D: number, H: number, T: number): number {
  if (!isSparse(attention) || attention.kind !== "lsg" || attendsFully(attention, T)) return 0;
  const slots = lsgSlotPattern(attention, T);
  if (!slots) return 0;
  const hashed = selectionOf(attention) === "lsh";
  return H * slots.count + (slots.pooled ? 2 * D * slots.count + H * T : 0) + (hashed ? H * T : 0);
}
