import { MAX_GLOBALS } from "../../attention/lsg/mod.ts";
import {
  add,
  embedding,
  layerNorm,
  matmul,
  normal,
  paddedPositions,
  type Parameter,
  type ParameterSet,
  reshape,
  slice,
  type Tensor,
} from "../../engine/mod.ts";
import { type BertConfig, longestInput } from "../bert_config.ts";
import { prependedGlobals } from "../encoder_attention.ts";
import { ConfigError, requireLength } from "../model_error.ts";
import { type BertLinear, declareBertLinear } from "./bert_block.ts";
import { prependGlobals } from "./global_tokens.ts";
import { declareNorm, type NormWeights } from "./norm.ts";
import { type DropoutSite, maybeDropout } from "./regularization.ts";

/** Tables of an encoder, E wide, and what brings them to the width of its layers. */
export interface EncoderEmbeddings {
  /** [V, E] */
  readonly tokens: Parameter;
  /** [P, E] */
  readonly positions: Parameter;
  /** [types, E] */
  readonly tokenTypes: Parameter | undefined;
  /** [512, E]; the first G rows are the global tokens. */
  readonly globals: Parameter | undefined;
  readonly norm: NormWeights;
  /** [E, D] */
  readonly mapping: BertLinear | undefined;
}

/** Declares the tables that the configuration asks for. */
export function declareEncoderEmbeddings(
  set: ParameterSet,
  config: Required<BertConfig>,
): EncoderEmbeddings {
  const { embeddingWidth: E, initializerRange: std } = config;
  const table = (name: string, rows: number) =>
    set.add(`embeddings.${name}`, [rows, E], normal(std));
  return {
    tokens: table("tokens", config.vocabSize),
    positions: table("positions", config.positions),
    tokenTypes: config.tokenTypes > 0 ? table("token_types", config.tokenTypes) : undefined,
    norm: declareNorm(set, "embeddings.norm", E),
    globals: prependedGlobals(config.attention) > 0 ? table("globals", MAX_GLOBALS) : undefined,
    mapping: config.embeddingMapping
      ? declareBertLinear(set, "embeddings.mapping", E, config.width, std)
      : undefined,
  };
}

/**
 * First states [B, G + T, D] of ids i32 [B, T], G global tokens in front.
 *
 * @param tokenTypes i32 [B, T]; all 0 when left out.
 * @throws {ConfigError} If the input is longer than the position table, or there are types but no table.
 */
export function embedEncoder(
  tables: EncoderEmbeddings,
  ids: Tensor,
  tokenTypes: Tensor | undefined,
  config: Required<BertConfig>,
  site: DropoutSite | undefined,
): Tensor {
  requireLength("BERT", ids.dim(1), longestInput(config));
  let x = add(embedding(tables.tokens, ids), positionRows(tables.positions, ids, config));
  if (tables.tokenTypes) {
    const { embeddingWidth: E } = config;
    x = tokenTypes
      ? add(x, embedding(tables.tokenTypes, tokenTypes))
      : add(x, reshape(slice(tables.tokenTypes, [0, 0], [1, E]), [E]));
  } else if (tokenTypes) {
    throw new ConfigError(
      "Cannot run BERT: token types are given but the model has none; leave them out",
    );
  }
  if (tables.globals) {
    x = prependGlobals(tables.globals, prependedGlobals(config.attention), x);
  }
  const { weight, bias } = tables.norm;
  x = maybeDropout(layerNorm(x, weight, bias, { epsilon: config.normEpsilon }), site);
  return tables.mapping ? matmul(x, tables.mapping.weight, { bias: tables.mapping.bias }) : x;
}

/** The table's first T rows [T, E], or a row per token [B, T, E]. */
function positionRows(table: Tensor, ids: Tensor, { positionIds }: Required<BertConfig>): Tensor {
  if (positionIds !== "index") return embedding(table, paddedPositions(ids, positionIds.padId));
  const [rows, width] = table.shape;
  const T = ids.dim(1);
  return T === rows ? table : slice(table, [0, 0], [T, width]);
}
