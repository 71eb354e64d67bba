import { type Gpu, normal, type Parameter, ParameterSet, type Tensor } from "../engine/mod.ts";
import { gpt2Flops } from "./gpt2_cost.ts";
import { Gpt2Decoder } from "./gpt2_decoder.ts";
import { applyGpt2Block, declareGpt2Block, type Gpt2Block } from "./layers/gpt2_block.ts";
import { dropoutSite, maybeDropout } from "./layers/regularization.ts";
import { applyNorm, declareNorm, type NormWeights } from "./layers/norm.ts";
import { embedTokens } from "./layers/token_embedding.ts";
import type { Decoder, ForwardOptions } from "./language_model.ts";
import {
  requireDivisibleHeads,
  requirePositiveIntegers,
  requireProbability,
} from "./model_error.ts";
import { TiedLanguageModel } from "./tied_language_model.ts";

/** Configuration of `Gpt2`. */
export interface Gpt2Config {
  readonly vocabSize: number;
  /** Rows of the position table, the longest context. */
  readonly positions: number;
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
  /** Probability of dropout on embeddings, attention probabilities and both residual branches. @default {0} */
  readonly dropout?: number;
  /** `naive` materialises the T x T scores, `fused` does not. The values agree. @default {"fused"} */
  readonly attention?: "naive" | "fused";
  /** Standard deviation of the initial weights; residual projections get 1/sqrt(2 layers) of it. @default {0.02} */
  readonly initializerRange?: number;
}

/**
 * GPT-2 (Radford et al. 2019): pre-norm blocks, learned positions, tanh GELU, token table tied to the logits.
 *
 * @example
 * ```ts ignore
 * const model = new Gpt2(gpu, { vocabSize: 2048, positions: 256, width: 128, heads: 4, layers: 4 }, 1);
 * const loss = model.loss(ids, targets); // ids, targets: i32 [B, T]
 * ```
 */
export class Gpt2 extends TiedLanguageModel {
  override readonly name: string;
  override readonly parameters: ParameterSet;
  override readonly config: Required<Gpt2Config>;
  override readonly tokens: Parameter;
  override readonly positionTable: Parameter;
  readonly blocks: readonly Gpt2Block[];
  readonly finalNorm: NormWeights;

  /**
   * @param gpu Where the model lives.
   * @param config Sizes and options.
   * @param seed Seed of the initial weights.
   */
  constructor(gpu: Gpu, config: Gpt2Config, seed: number) {
    super(gpu);
    const { dropout = 0, attention = "fused", initializerRange = 0.02 } = config;
    const full = this.config = { ...config, dropout, attention, initializerRange };
    this.name = `gpt2-${full.attention}`;
    checkConfig(full);
    const set = this.parameters = new ParameterSet(gpu, seed);
    const { vocabSize, positions, width, layers, initializerRange: std } = full;
    this.tokens = set.add("wte.weight", [vocabSize, width], normal(std));
    this.positionTable = set.add("wpe.weight", [positions, width], normal(std));
    this.blocks = Array.from(
      { length: layers },
      (_, i) => declareGpt2Block(set, `h.${i}`, width, { std, depth: layers }),
    );
    this.finalNorm = declareNorm(set, "ln_f", width);
    set.allocate();
  }

  override hidden(ids: Tensor, options: ForwardOptions = {}): Tensor {
    const { dropout, heads, attention } = this.config;
    let x = embedTokens(this.name, ids, this.tokens, this.positionTable);
    x = maybeDropout(x, dropoutSite("embedding", dropout, options));
    for (const block of this.blocks) {
      x = applyGpt2Block(block, x, {
        heads,
        attention,
        keyMask: options.keyMask,
        dropout: (place) => dropoutSite(`${block.name}.${place}`, dropout, options),
      });
    }
    return applyNorm(x, this.finalNorm);
  }

  override decoder(batch: number): Decoder {
    return new Gpt2Decoder(this, batch);
  }

  override flops(batch: number, length: number): { forward: number; backward: number } {
    return gpt2Flops(this.config, batch, length);
  }
}

function checkConfig(
  { vocabSize, positions, width, heads, layers, dropout }: Required<Gpt2Config>,
): void {
  requirePositiveIntegers("GPT-2", { vocabSize, positions, width, heads, layers });
  requireDivisibleHeads("GPT-2", width, heads);
  requireProbability("GPT-2", "dropout", dropout);
}
