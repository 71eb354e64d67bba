import { checkEncoderAttention, type EncoderAttention } from "./encoder_attention.ts";
import {
  ConfigError,
  requireDivisibleHeads,
  requirePositiveIntegers,
  requireProbability,
} from "./model_error.ts";

/** Configuration of `Bert`; the defaults are BERT's. */
export interface BertConfig {
  readonly vocabSize: number;
  /** Rows of the position table. The longest input is as long, less padId + 1 where positions count from a padding id. */
  readonly positions: number;
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
  /** Width of the MLP. @default {4 width} */
  readonly intermediate?: number;
  /** Width of the tables, mapped to `width` by an affine map where it differs (ALBERT, ELECTRA). @default {width} */
  readonly embeddingWidth?: number;
  /** Affine map from the tables to the layers even where the widths are equal (ALBERT). @default {embeddingWidth differs from width} */
  readonly embeddingMapping?: boolean;
  /** Position of token i: its index, or padId plus the number of tokens up to it that are not padId (RoBERTa). @default {"index"} */
  readonly positionIds?: "index" | { readonly padId: number };
  /** Rows of the token-type table; 0 for none (DistilBERT). @default {2} */
  readonly tokenTypes?: number;
  /** Sets of layer weights, each used by layers / layerGroups layers in a row; ALBERT has 1. @default {layers} */
  readonly layerGroups?: number;
  /** Non-linearity of the MLP and of the masked head: the exact GELU, its tanh approximation, or ReLU. @default {"gelu"} */
  readonly activation?: "gelu" | "geluTanh" | "relu";
  /** Probability of dropout on embeddings, both residual branches and the classifier's input. @default {0} */
  readonly dropout?: number;
  /** Probability of dropout on attention probabilities. @default {dropout} */
  readonly attentionDropout?: number;
  /** Classes of the classification head; 0 for none. @default {0} */
  readonly classes?: number;
  /** Non-linearity of the pooler: BERT's tanh, DistilBERT's ReLU or ELECTRA's GELU. @default {"tanh"} */
  readonly pooler?: "tanh" | "relu" | "gelu";
  /** Masked-language-model head, tied to the token table. @default {false} */
  readonly maskedHead?: boolean;
  /** Head that marks the first and last token of an answer. @default {false} */
  readonly spanHead?: boolean;
  /**
   * Full attention, `naive` with the T x T scores and `fused` without them (the values agree), or a sparse attention.
   *
   * @default {"fused"}
   */
  readonly attention?: EncoderAttention;
  /** @default {1e-12} */
  readonly normEpsilon?: number;
  /** Standard deviation of the initial weights. @default {0.02} */
  readonly initializerRange?: number;
}

/** Fills in the defaults and checks every value. */
export function resolveBertConfig(config: BertConfig): Required<BertConfig> {
  const { width, layers } = config;
  const { embeddingWidth = width, dropout = 0 } = config;
  const full: Required<BertConfig> = {
    intermediate: 4 * width,
    embeddingWidth,
    embeddingMapping: embeddingWidth !== width,
    positionIds: "index",
    tokenTypes: 2,
    layerGroups: layers,
    activation: "gelu",
    dropout,
    attentionDropout: dropout,
    classes: 0,
    pooler: "tanh",
    maskedHead: false,
    spanHead: false,
    attention: "fused",
    normEpsilon: 1e-12,
    initializerRange: 0.02,
    ...config,
  };
  check(full);
  return full;
}

/** Text tokens of the longest input. */
export function longestInput({ positions, positionIds }: Required<BertConfig>): number {
  return positionIds === "index" ? positions : positions - positionIds.padId - 1;
}

function check(config: Required<BertConfig>): void {
  const { vocabSize, positions, width, heads, layers, intermediate, embeddingWidth, layerGroups } =
    config;
  requirePositiveIntegers("BERT", {
    ...{ vocabSize, positions, width, heads, layers, intermediate, embeddingWidth, layerGroups },
  });
  for (const key of ["classes", "tokenTypes"] as const) {
    if (!(Number.isInteger(config[key]) && config[key] >= 0)) {
      throw new ConfigError(
        `Cannot build BERT: ${key} is ${config[key]}, expected a whole number of at least 0`,
      );
    }
  }
  requireDivisibleHeads("BERT", width, heads);
  requireProbability("BERT", "dropout", config.dropout);
  requireProbability("BERT", "attentionDropout", config.attentionDropout);
  if (layers % layerGroups !== 0) {
    throw new ConfigError(
      `Cannot build BERT: layerGroups is ${layerGroups} and layers is ${layers}, expected layers to be a multiple of layerGroups`,
    );
  }
  if (embeddingWidth !== width && !config.embeddingMapping) {
    throw new ConfigError(
      `Cannot build BERT: embeddingWidth is ${embeddingWidth} and width ${width} without embeddingMapping, expected equal widths; leave embeddingMapping out`,
    );
  }
  if (config.positionIds !== "index") {
    const { padId } = config.positionIds;
    if (!(Number.isInteger(padId) && padId >= 0 && padId < vocabSize && padId + 1 < positions)) {
      throw new ConfigError(
        `Cannot build BERT: padId is ${padId}, expected a token id that leaves rows of the position table (${positions})`,
      );
    }
  }
  checkEncoderAttention("BERT", config.attention);
}
