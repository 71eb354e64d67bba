import { checkEncoderAttention, type EncoderAttention } from "./encoder_attention.ts";
import {
  ConfigError,
  requireDivisibleHeads,
  requirePositiveIntegers,
  requireProbability,
} from "./model_error.ts";

/** Configuration of `Bart`; the defaults are BART's. */
export interface BartConfig {
  readonly vocabSize: number;
  /** Tokens of the longest input and the longest output. */
  readonly positions: number;
  readonly width: number;
  readonly heads: number;
  /** Layers of the encoder. */
  readonly layers: number;
  /** Width of the encoder's MLP. @default {4 width} */
  readonly intermediate?: number;
  /** Layers of the decoder. @default {layers} */
  readonly decoderLayers?: number;
  /** @default {heads} */
  readonly decoderHeads?: number;
  /** @default {intermediate} */
  readonly decoderIntermediate?: number;
  /** @default {"gelu"} */
  readonly activation?: "gelu" | "geluTanh" | "relu";
  /** Norms before the sublayers, and one at the end of encoder and decoder (mBART, Pegasus). @default {false} */
  readonly preNorm?: boolean;
  /** Norm of the embeddings; Pegasus has none. @default {true} */
  readonly embeddingNorm?: boolean;
  /** Learned positions, or fixed sinusoidal ones (Pegasus). @default {"learned"} */
  readonly positionTable?: "learned" | "sinusoidal";
  /** Unused rows in front of the position tables. @default {2 for learned positions, else 0} */
  readonly positionOffset?: number;
  /** Token embeddings are multiplied by the root of the width (mBART, Pegasus). @default {false} */
  readonly scaleEmbedding?: boolean;
  /** Probability of dropout on embeddings and residual branches. @default {0} */
  readonly dropout?: number;
  /** On attention probabilities. @default {0} */
  readonly attentionDropout?: number;
  /** Inside the MLP. @default {0} */
  readonly activationDropout?: number;
  /** Self-attention of the encoder; that of the decoder is always full. @default {"fused"} */
  readonly attention?: EncoderAttention;
  /** The decoder sees the global tokens of local-sparse-global attention as well as the text. @default {true} */
  readonly passGlobals?: boolean;
  /** Id that generated texts begin with, which is not part of them. @default {2} */
  readonly startId?: number;
  /** @default {1} */
  readonly padId?: number;
  /** Id that ends a text. @default {2} */
  readonly endId?: number;
  /** Standard deviation of the initial weights. @default {0.02} */
  readonly initializerRange?: number;
}

/** Fills in the defaults and checks every value. */
export function resolveBartConfig(config: BartConfig): Required<BartConfig> {
  const { width, heads, layers, intermediate = 4 * width, positionTable = "learned" } = config;
  const full: Required<BartConfig> = {
    intermediate,
    decoderLayers: layers,
    decoderHeads: heads,
    decoderIntermediate: intermediate,
    activation: "gelu",
    preNorm: false,
    embeddingNorm: true,
    positionTable,
    positionOffset: positionTable === "learned" ? 2 : 0,
    scaleEmbedding: false,
    dropout: 0,
    attentionDropout: 0,
    activationDropout: 0,
    attention: "fused",
    passGlobals: true,
    startId: 2,
    padId: 1,
    endId: 2,
    initializerRange: 0.02,
    ...config,
  };
  check(full);
  return full;
}

function check(config: Required<BartConfig>): void {
  const { vocabSize, positions, width, heads, layers, intermediate } = config;
  const { decoderLayers, decoderHeads, decoderIntermediate, attention } = config;
  requirePositiveIntegers("BART", {
    ...{ vocabSize, positions, width, heads, layers, intermediate },
    ...{ decoderLayers, decoderHeads, decoderIntermediate },
  });
  requireDivisibleHeads("BART", width, heads);
  requireDivisibleHeads("BART", width, decoderHeads);
  for (const key of ["dropout", "attentionDropout", "activationDropout"] as const) {
    requireProbability("BART", key, config[key]);
  }
  if (config.positionTable === "sinusoidal" && width % 2 !== 0) {
    throw new ConfigError(
      `Cannot build BART: width is ${width}, expected an even number for sinusoidal positions`,
    );
  }
  for (const key of ["startId", "padId", "endId"] as const) {
    if (!(Number.isInteger(config[key]) && config[key] >= 0 && config[key] < vocabSize)) {
      throw new ConfigError(
        `Cannot build BART: ${key} is ${config[key]}, expected a token id below ${vocabSize}`,
      );
    }
  }
  checkEncoderAttention("BART", attention);
}
