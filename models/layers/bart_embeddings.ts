import { MAX_GLOBALS } from "../../attention/lsg/mod.ts";
import {
  add,
  embedding,
  mulScalar,
  normal,
  type Parameter,
  type ParameterSet,
  slice,
  type Tensor,
  values,
} from "../../engine/mod.ts";
import type { BartConfig } from "../bart_config.ts";
import { prependedGlobals } from "../encoder_attention.ts";
import { requireLength } from "../model_error.ts";
import { prependGlobals } from "./global_tokens.ts";
import { applyNorm, declareNorm, type NormWeights } from "./norm.ts";
import { type DropoutSite, maybeDropout } from "./regularization.ts";

/** What one side of the model, encoder or decoder, has of its own before its layers. */
export interface BartSide {
  /** [offset + P, D] */
  readonly positions: Parameter;
  readonly norm: NormWeights | undefined;
}

/** Tables of a sequence-to-sequence model. */
export interface BartEmbeddings {
  /** Shared by encoder, decoder and logits, [V, D]. */
  readonly tokens: Parameter;
  readonly encoder: BartSide;
  readonly decoder: BartSide;
  /** [512, D]; the first G rows stand in front of the encoder's text. */
  readonly globals: Parameter | undefined;
}

/** Declares the tables; sinusoidal positions are frozen. */
export function declareBartEmbeddings(
  set: ParameterSet,
  config: Required<BartConfig>,
): BartEmbeddings {
  const { vocabSize, width, positionTable, positionOffset, initializerRange: std } = config;
  const rows = positionOffset + config.positions;
  const side = (name: string): BartSide => ({
    positions: positionTable === "learned"
      ? set.add(`embeddings.${name}_positions`, [rows, width], normal(std))
      : set.add(
        `embeddings.${name}_positions`,
        [rows, width],
        values(sinusoidalPositions(rows, width)),
        { trainable: false },
      ),
    norm: config.embeddingNorm ? declareNorm(set, `${name}.embedding_norm`, width) : undefined,
  });
  return {
    tokens: set.add("embeddings.tokens", [vocabSize, width], normal(std)),
    encoder: side("encoder"),
    decoder: side("decoder"),
    globals: prependedGlobals(config.attention) > 0
      ? set.add("embeddings.globals", [MAX_GLOBALS, width], normal(std))
      : undefined,
  };
}

/**
 * Sinusoidal positions of Pegasus, [rows, width]: sines in the first half of a row, cosines in the second (Vaswani et al. 2017 interleave
 * them); computed in float64.
 *
 * @param width An even number.
 */
export function sinusoidalPositions(rows: number, width: number): Float32Array<ArrayBuffer> {
  const half = width / 2;
  const table = new Float32Array(rows * width);
  for (let p = 0; p < rows; p++) {
    for (let m = 0; m < half; m++) {
      const angle = p / 10000 ** (2 * m / width);
      table[p * width + m] = Math.sin(angle);
      table[p * width + half + m] = Math.cos(angle);
    }
  }
  return table;
}

/** First states [B, G + T, D] of ids i32 [B, T] on one side; the encoder has G global tokens in front. */
export function embedBart(
  tables: BartEmbeddings,
  side: "encoder" | "decoder",
  ids: Tensor,
  config: Required<BartConfig>,
  site: DropoutSite | undefined,
): Tensor {
  const { width, positionOffset: offset } = config;
  const T = ids.dim(1);
  requireLength("BART", T, config.positions);
  const { positions, norm } = tables[side];
  const words = embedding(tables.tokens, ids);
  const scaled = config.scaleEmbedding ? mulScalar(words, Math.sqrt(width)) : words;
  let x = add(scaled, slice(positions, [offset, 0], [offset + T, width]));
  if (side === "encoder" && tables.globals) {
    x = prependGlobals(tables.globals, prependedGlobals(config.attention), x);
  }
  return maybeDropout(norm ? applyNorm(x, norm) : x, site);
}
