import {
  fusedLeapAttention,
  leapRescale,
  type LeapVariant,
  naiveLeapAttention,
} from "../attention/mod.ts";
import {
  add,
  constant,
  type Gpu,
  type Initializer,
  matmul,
  normal,
  type Parameter,
  ParameterSet,
  reshape,
  type Tensor,
} from "../engine/mod.ts";
import { dropoutSite, maybeDropout, residualLinear } from "./layers/regularization.ts";
import { applyNorm, declareNorm, type NormWeights } from "./layers/norm.ts";
import { embedTokens } from "./layers/token_embedding.ts";
import type { Decoder, ForwardOptions } from "./language_model.ts";
import { leapModelFlops } from "./leap_cost.ts";
import { LeapDecoder } from "./leap_decoder.ts";
import { leapWindows } from "./leap_windows.ts";
import {
  requireDivisibleHeads,
  requirePositiveIntegers,
  requireProbability,
} from "./model_error.ts";
import { TiedLanguageModel } from "./tied_language_model.ts";

/** Configuration of `Leap`. */
export interface LeapConfig {
  /** Revision of the source; see attention/leap/README.md for how they differ. @default {"2022-08"} */
  readonly variant?: LeapVariant;
  readonly vocabSize: number;
  /** Rows of the position table, the longest context. */
  readonly positions: number;
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
  /** False makes every layer global. @default {true} */
  readonly localAttention?: boolean;
  /** Window of each layer; the variant's own default when left out. */
  readonly windows?: readonly number[];
  /** @default {0} */
  readonly dropout?: number;
  /**
   * Factor c on the logits of normed heads; null leaves norm and factor out, which only "1.0.1" can.
   * @default {8 in "2022-08", 10 in "1.0.1"; "1.0" has none}
   */
  readonly rescale?: number | null;
  /** Standard deviation of the initial weights. @default {0.02 in "2022-08", 1/sqrt(width) otherwise} */
  readonly initializerRange?: number;
  /** `naive` is made of plain operations, `fused` of the mechanism's own kernels. @default {"fused"} */
  readonly form?: "naive" | "fused";
}

/** Configuration with every default filled in. */
export interface ResolvedLeapConfig extends Required<Omit<LeapConfig, "rescale">> {
  readonly rescale: number | null;
}

/** Parameters of one block; linear weights are [out, in]. */
export interface LeapBlock {
  readonly name: string;
  readonly window: number;
  readonly attentionNorm: NormWeights;
  /** [4D, D]: rows of q, f (f1), k (f2), v. */
  readonly projection: Parameter;
  readonly mlpNorm: NormWeights;
  readonly mlpIn: { weight: Parameter; bias?: Parameter };
  readonly mlpOut: { weight: Parameter; bias?: Parameter };
}

/** Largest and smallest head width the source was tuned for. */
const HEAD_WIDTHS = { smallest: 32, largest: 128 };

/**
 * LEAP language model (github.com/mtanghu/LEAP): linear attention by focus-weighted windowed sums; the revisions are described in
 * attention/leap/README.md.
 */
export class Leap extends TiedLanguageModel {
  override readonly name: string;
  override readonly parameters: ParameterSet;
  override readonly config: ResolvedLeapConfig;
  override readonly tokens: Parameter;
  override readonly positionTable: Parameter;
  readonly blocks: readonly LeapBlock[];
  readonly finalNorm: NormWeights;
  /** Advice about the configuration that is no error. */
  readonly warnings: readonly string[];

  constructor(gpu: Gpu, config: LeapConfig, seed: number) {
    super(gpu);
    const full = this.config = resolve(config);
    this.name = `leap-${full.variant}`;
    const { vocabSize, positions, width, heads, layers, initializerRange } = full;
    this.warnings = headWidthWarnings(width / heads);
    const set = this.parameters = new ParameterSet(gpu, seed);
    const init = normal(initializerRange);
    this.tokens = set.add("token_embedding.weight", [vocabSize, width], init);
    this.positionTable = set.add("position_embedding.weight", [positions, width], init);
    const biased = full.variant !== "2022-08";
    this.blocks = Array.from(
      { length: layers },
      (_, i) => declareBlock(set, `blocks.${i}`, width, full.windows[i], biased, init),
    );
    this.finalNorm = declareNorm(set, "final_norm", width);
    set.allocate();
  }

  override hidden(ids: Tensor, options: ForwardOptions = {}): Tensor {
    return this.layerStates(ids, options, () => {});
  }

  /** `hidden`, showing `visit` the packed projection [B, T, 4D] of every layer. */
  layerStates(
    ids: Tensor,
    options: ForwardOptions,
    visit: (layer: number, projection: Tensor) => void,
  ): Tensor {
    let x = embedTokens(this.name, ids, this.tokens, this.positionTable);
    x = maybeDropout(x, dropoutSite("embedding", this.config.dropout, options));
    this.blocks.forEach((block, layer) => {
      const normed = applyNorm(x, block.attentionNorm);
      const projection = matmul(normed, block.projection, { transposeB: true });
      visit(layer, projection);
      x = this.mlp(block, add(x, this.#attend(block, projection, options)), options);
    });
    return applyNorm(x, this.finalNorm);
  }

  override decoder(batch: number): Decoder {
    return new LeapDecoder(this, batch);
  }

  override flops(batch: number, length: number): { forward: number; backward: number } {
    return leapModelFlops(this.config, batch, length);
  }

  /** @internal The second half of a block: x + MLP(norm(x)). */
  mlp(block: LeapBlock, x: Tensor, options: ForwardOptions): Tensor {
    const { variant, dropout } = this.config;
    // The 2022-08 revision sends the MLP input through the attention's layer norm first, with the same weights: a quirk of the
    // source that its figures include.
    const once = variant === "2022-08" ? applyNorm(x, block.attentionNorm) : x;
    const normed = applyNorm(once, block.mlpNorm);
    const { weight, bias } = block.mlpIn;
    const inner = matmul(normed, weight, { bias, transposeB: true, activation: "gelu" });
    const site = dropoutSite(`${block.name}.mlp`, dropout, options);
    return residualLinear(x, inner, { ...block.mlpOut, transposed: true }, site);
  }

  #attend(block: LeapBlock, projection: Tensor, options: ForwardOptions): Tensor {
    const { variant, heads, rescale, form, dropout } = this.config;
    const attend = form === "fused" ? fusedLeapAttention : naiveLeapAttention;
    const [B, T, width] = projection.shape;
    const packed = reshape(projection, [B, T, 4, heads, width / 4 / heads]);
    const mixed = attend(packed, {
      variant,
      window: block.window,
      rescale,
      keyMask: options.keyMask,
      dropout: dropoutSite(`${block.name}.attention`, dropout, options),
    });
    return reshape(mixed, [B, T, width / 4]);
  }
}

function resolve(config: LeapConfig): ResolvedLeapConfig {
  const {
    variant = "2022-08",
    width,
    heads,
    layers,
    positions,
    vocabSize,
    dropout = 0,
    localAttention = true,
  } = config;
  requirePositiveIntegers("LEAP", { vocabSize, positions, width, heads, layers });
  requireDivisibleHeads("LEAP", width, heads);
  requireProbability("LEAP", "dropout", dropout);
  return {
    form: "fused",
    initializerRange: variant === "2022-08" ? 0.02 : 1 / Math.sqrt(width),
    ...config,
    variant,
    dropout,
    localAttention,
    rescale: leapRescale(variant, config.rescale),
    windows: leapWindows({ variant, layers, positions, localAttention, windows: config.windows }),
  };
}

function headWidthWarnings(headWidth: number): string[] {
  const { smallest, largest } = HEAD_WIDTHS;
  if (headWidth >= smallest && headWidth <= largest) return [];
  return [`The head width is ${headWidth}; the source advises ${smallest} to ${largest}.`];
}

function declareBlock(
  set: ParameterSet,
  name: string,
  width: number,
  window: number,
  biased: boolean,
  init: Initializer,
): LeapBlock {
  const linear = (part: string, inputs: number, outputs: number) => ({
    weight: set.add(`${name}.${part}.weight`, [outputs, inputs], init),
    bias: biased ? set.add(`${name}.${part}.bias`, [outputs], constant(0)) : undefined,
  });
  return {
    name,
    window,
    attentionNorm: declareNorm(set, `${name}.attention_norm`, width),
    projection: set.add(`${name}.projection.weight`, [4 * width, width], init),
    mlpNorm: declareNorm(set, `${name}.mlp_norm`, width),
    mlpIn: linear("mlp_in", width, 4 * width),
    mlpOut: linear("mlp_out", 4 * width, width),
  };
}
