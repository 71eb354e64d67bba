import {
  type Gpu,
  groupMask,
  normal,
  type Parameter,
  ParameterSet,
  slice,
  type Tensor,
} from "../engine/mod.ts";
import { convAttentionFlops } from "./conv_attention_cost.ts";
import { applyGpt2Block, declareGpt2Block, type Gpt2Block } from "./layers/gpt2_block.ts";
import { padLeft, zeroMasked } from "./layers/left_padding.ts";
import { applyNorm, declareNorm, type NormWeights } from "./layers/norm.ts";
import {
  compressPositions,
  declareResample,
  expandAcrossPositions,
  expandWithinGroups,
  type ResampleWeights,
  shiftRight,
} from "./layers/pyramid.ts";
import { embedTokens } from "./layers/token_embedding.ts";
import type { Decoder, ForwardOptions } from "./language_model.ts";
import {
  ConfigError,
  requireDivisibleHeads,
  requireLength,
  requirePositiveIntegers,
} from "./model_error.ts";
import { PrefixDecoder } from "./prefix_decoder.ts";
import { TiedLanguageModel } from "./tied_language_model.ts";

/** Configuration of `ConvAttention`. */
export interface ConvAttentionConfig {
  readonly vocabSize: number;
  /** Context length T; a multiple of factor ^ levels. */
  readonly positions: number;
  /** Width of the embedding; it grows by `widthFactor` at every level. */
  readonly width: number;
  readonly heads: number;
  /** `published`: the expander mixes all positions. `causal`: groups stay apart and are shifted by one. */
  readonly form: "published" | "causal";
  /** Positions merged into one at each level. @default {4} */
  readonly factor?: number;
  /** Levels of the compressor, and of the expander. @default {3} */
  readonly levels?: number;
  /** @default {2} */
  readonly widthFactor?: number;
  /** Standard deviation of the initial weights. @default {0.02} */
  readonly initializerRange?: number;
}

/** One change of resolution between two blocks. */
interface Level {
  readonly before: Gpt2Block;
  readonly resample: ResampleWeights;
  readonly after: Gpt2Block;
}

/**
 * Convolution Attention: blocks of attention on a pyramid of resolutions. The compressor merges `factor` positions at each level and widens
 * them, the expander goes the same way back. It is trained on the token `horizon` = factor ^ levels positions ahead.
 *
 * The published form takes positions as channels in the expander: an output sees the whole context, and for all but the last `horizon`
 * positions its own target is part of that. The causal form keeps the pyramid, but a group of `horizon` tokens influences only the groups
 * after it.
 *
 * Any length up to T is padded on the left with a mask: to T in the published form, whose expander has weights for each position, else to
 * whole groups.
 */
export class ConvAttention extends TiedLanguageModel {
  override readonly name: string;
  override readonly parameters: ParameterSet;
  override readonly config: Required<ConvAttentionConfig>;
  override readonly tokens: Parameter;
  override readonly positionTable: Parameter;
  readonly finalNorm: NormWeights;
  readonly #down: readonly Level[];
  readonly #up: readonly Level[];
  /** What stands before the first group, in the causal form. */
  readonly #start: Parameter | undefined;

  /**
   * @param gpu Where the model lives.
   * @param config Sizes and form.
   * @param seed Seed of the initial weights.
   */
  constructor(gpu: Gpu, config: ConvAttentionConfig, seed: number) {
    super(gpu);
    const full = this.config = {
      factor: 4,
      levels: 3,
      widthFactor: 2,
      initializerRange: 0.02,
      ...config,
    };
    this.name = full.form === "published" ? "conv_attention" : "conv_attention_causal";
    checkConfig(this.name, full);
    const { vocabSize, positions, width, factor, levels, widthFactor, initializerRange: std } =
      full;
    const set = this.parameters = new ParameterSet(gpu, seed);
    this.tokens = set.add("wte.weight", [vocabSize, width], normal(std));
    this.positionTable = set.add("wpe.weight", [positions, width], normal(std));
    const block = { std, depth: 4 * levels };
    this.#down = Array.from({ length: levels }, (_, i) => {
      const w = width * widthFactor ** i;
      const next = w * widthFactor;
      return {
        before: declareGpt2Block(set, `down.${i}.before`, w, block),
        resample: declareResample(set, `down.${i}`, w, [next, w, factor], next, std),
        after: declareGpt2Block(set, `down.${i}.after`, next, block),
      };
    });
    if (full.form === "causal") {
      this.#start = set.add("start", [width * widthFactor ** levels], normal(std));
    }
    this.#up = Array.from({ length: levels }, (_, i) => {
      const w = width * widthFactor ** (levels - i);
      const next = w / widthFactor;
      const length = positions / factor ** (levels - i);
      const [shape, outputs] = full.form === "published"
        ? [[factor * length, length, widthFactor], factor * length]
        : [[w, next, factor], next];
      return {
        before: declareGpt2Block(set, `up.${i}.before`, w, block),
        resample: declareResample(set, `up.${i}`, w, shape as number[], outputs as number, std),
        after: declareGpt2Block(set, `up.${i}.after`, next, block),
      };
    });
    this.finalNorm = declareNorm(set, "ln_f", width);
    set.allocate();
  }

  /** Distance from a position to the token it is trained to predict: factor ^ levels. */
  get horizon(): number {
    return this.config.factor ** this.config.levels;
  }

  override hidden(ids: Tensor, options: ForwardOptions = {}): Tensor {
    const { positions, heads, factor, form } = this.config;
    const length = ids.dim(1);
    requireLength(this.name, length, positions);
    const full = form === "published" ? positions : Math.ceil(length / this.horizon) * this.horizon;
    const padded = padLeft(ids, options.keyMask, full);
    const masks = [padded.keyMask];
    for (const _ of this.#down) masks.push(masks.at(-1) && groupMask(masks.at(-1)!, factor));
    const attend = (block: Gpt2Block, x: Tensor, level: number) =>
      applyGpt2Block(block, x, { heads, keyMask: masks[level] });
    let x = embedTokens(this.name, padded.ids, this.tokens, this.positionTable);
    if (padded.keyMask) x = zeroMasked(x, padded.keyMask);
    this.#down.forEach(({ before, resample, after }, i) => {
      x = attend(after, compressPositions(attend(before, x, i), resample), i + 1);
    });
    if (this.#start) x = shiftRight(x, this.#start);
    const expand = form === "causal" ? expandWithinGroups : expandAcrossPositions;
    this.#up.forEach(({ before, resample, after }, i) => {
      const level = this.config.levels - i;
      x = attend(after, expand(attend(before, x, level), resample), level - 1);
    });
    x = applyNorm(x, this.finalNorm);
    return padded.added === 0 ? x : slice(x, [0, padded.added, 0]);
  }

  override decoder(batch: number): Decoder {
    return new PrefixDecoder(this, batch);
  }

  override flops(batch: number, length: number): { forward: number; backward: number } {
    return convAttentionFlops(this.config, batch, length);
  }
}

function checkConfig(
  what: string,
  { vocabSize, positions, width, heads, factor, levels, widthFactor }: Required<
    ConvAttentionConfig
  >,
): void {
  requirePositiveIntegers(what, {
    ...{ vocabSize, positions, width, heads, factor, levels, widthFactor },
  });
  requireDivisibleHeads(what, width, heads);
  const group = factor ** levels;
  if (positions % group !== 0) {
    throw new ConfigError(
      `Cannot build ${what}: positions is ${positions}, expected a multiple of factor ^ levels (${factor} ^ ${levels} = ${group})`,
    );
  }
}
