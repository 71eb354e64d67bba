import { attentionProbabilities, type AttentionScoring } from "../attention/mod.ts";
import {
  add,
  crossEntropy,
  div,
  embedding,
  gather,
  type Gpu,
  layerNorm,
  maximumScalar,
  mul,
  mulScalar,
  normal,
  type Parameter,
  ParameterSet,
  reshape,
  slice,
  sum,
  type Tensor,
} from "../engine/mod.ts";
import { bertFlops } from "./bert_cost.ts";
import {
  applyBertBlock,
  applyBertBlockWithScores,
  type BertBlock,
  type BertBlockCall,
  bertProjection,
  declareBertBlock,
} from "./layers/bert_block.ts";
import {
  type BertMaskedHead,
  type ClassificationHead,
  classificationLogits,
  declareBertMaskedHead,
  declareClassificationHead,
  maskedHeadLogits,
  maskedHeadLoss,
} from "./layers/bert_heads.ts";
import { declareNorm, type NormWeights } from "./layers/norm.ts";
import { dropoutSite, maybeDropout } from "./layers/regularization.ts";
import type { ForwardOptions } from "./language_model.ts";
import {
  ConfigError,
  requireDivisibleHeads,
  requireLength,
  requirePositiveIntegers,
  requireProbability,
} from "./model_error.ts";

/** Configuration of `Bert`. */
export interface BertConfig {
  readonly vocabSize: number;
  /** Rows of the position table, the longest input. */
  readonly positions: number;
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
  /** Width of the MLP. @default {4 width} */
  readonly intermediate?: number;
  /** Rows of the token-type table; 0 for none (DistilBERT). @default {2} */
  readonly tokenTypes?: number;
  /** Probability of dropout on embeddings, attention probabilities, both residual branches and the classifier's input. @default {0} */
  readonly dropout?: number;
  /** Classes of the classification head; 0 for none. @default {0} */
  readonly classes?: number;
  /** Non-linearity of the pooler: BERT's tanh or DistilBERT's ReLU. @default {"tanh"} */
  readonly pooler?: "tanh" | "relu";
  /** Masked-language-model head, tied to the token table. @default {false} */
  readonly maskedHead?: boolean;
  /** `naive` materialises the T x T scores, `fused` does not. The values agree. @default {"fused"} */
  readonly attention?: "naive" | "fused";
  /** @default {1e-12} */
  readonly normEpsilon?: number;
  /** Standard deviation of the initial weights. @default {0.02} */
  readonly initializerRange?: number;
}

/** Options of an encoder pass. */
export interface BertOptions extends ForwardOptions {
  /** Token types, i32 [B, T]; all 0 when left out. */
  readonly tokenTypes?: Tensor;
  /** Layers to run, counted from the first. @default {all} */
  readonly layers?: number;
}

/** Options of `Bert.attentionScores`. */
export interface BertScoreOptions extends Pick<BertOptions, "keyMask" | "tokenTypes"> {
  /** @default {"row-column"} */
  readonly scoring?: AttentionScoring;
  /** Only the first or last so many layers are averaged; later ones than needed are not run. @default {all layers} */
  readonly layers?: { readonly first: number } | { readonly last: number };
}

/**
 * BERT (Devlin et al. 2019): post-norm encoder with learned positions and token types, a pooler with a classification head and a
 * masked-language-model head. With `tokenTypes: 0` and `pooler: "relu"` it is DistilBERT (Sanh et al. 2019).
 *
 * @example
 * ```ts ignore
 * const model = new Bert(gpu, { vocabSize: 2048, positions: 128, width: 64, heads: 4, layers: 3, classes: 10 }, 1);
 * const loss = model.classificationLoss(ids, labels, { keyMask }); // ids, keyMask: i32 [B, T]; labels: i32 [B]
 * ```
 */
export class Bert {
  readonly name = "bert";
  readonly parameters: ParameterSet;
  readonly config: Required<BertConfig>;
  readonly tokens: Parameter;
  readonly positionTable: Parameter;
  readonly tokenTypeTable: Parameter | undefined;
  readonly embeddingNorm: NormWeights;
  readonly blocks: readonly BertBlock[];
  readonly classifier: ClassificationHead | undefined;
  readonly maskedHead: BertMaskedHead | undefined;

  /**
   * @param gpu Where the model lives.
   * @param config Sizes and heads.
   * @param seed Seed of the initial weights.
   */
  constructor(readonly gpu: Gpu, config: BertConfig, seed: number) {
    const full = this.config = {
      intermediate: 4 * config.width,
      tokenTypes: 2,
      dropout: 0,
      classes: 0,
      pooler: "tanh" as const,
      maskedHead: false,
      attention: "fused" as const,
      normEpsilon: 1e-12,
      initializerRange: 0.02,
      ...config,
    };
    checkConfig(full);
    const { vocabSize, positions, width, layers, intermediate, initializerRange: std } = full;
    const set = this.parameters = new ParameterSet(gpu, seed);
    this.tokens = set.add("embeddings.tokens", [vocabSize, width], normal(std));
    this.positionTable = set.add("embeddings.positions", [positions, width], normal(std));
    this.tokenTypeTable = full.tokenTypes > 0
      ? set.add("embeddings.token_types", [full.tokenTypes, width], normal(std))
      : undefined;
    this.embeddingNorm = declareNorm(set, "embeddings.norm", width);
    this.blocks = Array.from(
      { length: layers },
      (_, i) => declareBertBlock(set, `layer.${i}`, width, intermediate, std),
    );
    this.classifier = full.classes > 0
      ? declareClassificationHead(set, width, full.classes, std)
      : undefined;
    this.maskedHead = full.maskedHead
      ? declareBertMaskedHead(set, width, vocabSize, std)
      : undefined;
    set.allocate();
  }

  /** Final hidden states [B, T, D] of ids i32 [B, T]; rows of padding hold values that mean nothing. */
  hidden(ids: Tensor, options: BertOptions = {}): Tensor {
    let x = this.#embed(ids, options);
    for (const block of this.blocks.slice(0, options.layers)) {
      x = applyBertBlock(block, x, this.#call(options));
    }
    return x;
  }

  /** Logits [B, C] of the classification head, from the first token. */
  classLogits(ids: Tensor, options: BertOptions = {}): Tensor {
    const head = this.#head(this.classifier, "classes");
    const hidden = this.hidden(ids, options);
    const first = reshape(
      slice(hidden, [0, 0, 0], [hidden.dim(0), 1, hidden.dim(2)]),
      [hidden.dim(0), hidden.dim(2)],
    );
    const { dropout, pooler } = this.config;
    return classificationLogits(head, first, pooler, dropoutSite("classifier", dropout, options));
  }

  /** Mean cross-entropy in nats of labels i32 [B]. */
  classificationLoss(ids: Tensor, labels: Tensor, options: BertOptions = {}): Tensor {
    return crossEntropy(this.classLogits(ids, options), labels);
  }

  /** Logits [B, T, V] of the masked-language-model head; for inspection, training uses `maskedLoss`. */
  maskedLogits(ids: Tensor, options: BertOptions = {}): Tensor {
    const head = this.#head(this.maskedHead, "maskedHead");
    return maskedHeadLogits(
      head,
      this.hidden(ids, options),
      this.tokens,
      this.config.normEpsilon,
    );
  }

  /**
   * Mean cross-entropy in nats of the original tokens at the masked places; the head runs at those places alone.
   *
   * @param ids Ids with masks in place, i32 [B, T].
   * @param places Flat indices b * T + t, i32 [N].
   * @param targets Original ids, i32 [N]; -1 is ignored.
   */
  maskedLoss(ids: Tensor, places: Tensor, targets: Tensor, options: BertOptions = {}): Tensor {
    const head = this.#head(this.maskedHead, "maskedHead");
    const hidden = this.hidden(ids, options);
    const rows = reshape(hidden, [hidden.size / hidden.dim(-1), hidden.dim(-1)]);
    const { normEpsilon } = this.config;
    return maskedHeadLoss(head, gather(rows, 0, places), this.tokens, targets, normEpsilon);
  }

  /** Mean over the real tokens' final hidden states, [B, D]: the sentence embedding of MiniLM and its kin. */
  embed(ids: Tensor, options: BertOptions = {}): Tensor {
    const hidden = this.hidden(ids, options);
    const [B, T] = ids.shape;
    if (!options.keyMask) return mulScalar(sum(hidden, { axes: [1] }), 1 / T);
    const real = gather(this.gpu.tensor([0, 1], [2]), 0, options.keyMask);
    const count = maximumScalar(sum(real, { axes: [1], keepDims: true }), 1);
    return div(sum(mul(hidden, reshape(real, [B, T, 1])), { axes: [1] }), count);
  }

  /**
   * Attention score of every token, [B, T], averaged over heads and layers; 0 at padding. No T x T matrix exists at any time. Not
   * differentiable.
   */
  attentionScores(ids: Tensor, options: BertScoreOptions = {}): Tensor {
    const [from, to] = this.scoredLayers(options.layers);
    const { scoring = "row-column", keyMask, tokenTypes } = options;
    return this.gpu.withoutTape(() =>
      this.gpu.scope(() => {
        let x = this.#embed(ids, { keyMask, tokenTypes });
        let total: Tensor | undefined;
        for (const [i, block] of this.blocks.slice(0, to).entries()) {
          const call = { ...this.#call({ keyMask }), scoring };
          if (i < from) {
            x = applyBertBlock(block, x, call);
            continue;
          }
          const { output, scores } = applyBertBlockWithScores(block, x, call);
          x = output;
          total = total ? add(total, scores) : scores;
        }
        return mulScalar(total!, 1 / (to - from));
      })
    );
  }

  /**
   * Visits the attention maps one layer at a time; the maps of a layer are freed before the next one's exist.
   *
   * @param visit Given the layer and its probabilities [B, H, T, T], rows of queries; must be done with them when it returns (a
   *   `gpu.readLater` may stay open).
   */
  forEachAttentionMap(
    ids: Tensor,
    visit: (layer: number, probabilities: Tensor) => void,
    options: Omit<BertOptions, "dropoutSeed"> = {},
  ): void {
    const { gpu, config } = this;
    const { heads, width } = config;
    const [B, T] = ids.shape;
    gpu.withoutTape(() =>
      gpu.scope(() => {
        let x = this.#embed(ids, options);
        for (const [i, block] of this.blocks.slice(0, options.layers).entries()) {
          gpu.scope(() => {
            const packed = reshape(bertProjection(block, x), [B, T, 3, heads, width / heads]);
            const part = (n: number) =>
              reshape(slice(packed, [0, 0, n], [B, T, n + 1]), [B, T, heads, width / heads]);
            visit(i, attentionProbabilities(part(0), part(1), { keyMask: options.keyMask }));
          });
          x = applyBertBlock(block, x, this.#call(options));
        }
      })
    );
  }

  /** First layer and layer after the last of a subset. */
  scoredLayers(subset: BertScoreOptions["layers"]): [number, number] {
    const all = this.blocks.length;
    if (!subset) return [0, all];
    const count = "first" in subset ? subset.first : subset.last;
    if (!(Number.isInteger(count) && count >= 1 && count <= all)) {
      throw new ConfigError(
        `Cannot score tokens: ${count} layers are asked for, expected 1 to ${all}`,
      );
    }
    return "first" in subset ? [0, count] : [all - count, all];
  }

  /** Floating-point operations of the encoder over [B, T], without heads. */
  flops(batch: number, length: number): { forward: number; backward: number } {
    return bertFlops(this.config, batch, length);
  }

  dispose(): void {
    this.parameters.dispose();
  }

  #embed(ids: Tensor, options: Omit<BertOptions, "layers">): Tensor {
    const { dropout, positions, width, normEpsilon } = this.config;
    const T = ids.dim(1);
    requireLength("BERT", T, positions);
    const table = T === positions
      ? this.positionTable
      : slice(this.positionTable, [0, 0], [T, width]);
    let x = add(embedding(this.tokens, ids), table);
    if (this.tokenTypeTable) {
      x = options.tokenTypes
        ? add(x, embedding(this.tokenTypeTable, options.tokenTypes))
        : add(x, reshape(slice(this.tokenTypeTable, [0, 0], [1, width]), [width]));
    } else if (options.tokenTypes) {
      throw new ConfigError(
        "Cannot run BERT: token types are given but the model has none; leave them out",
      );
    }
    const { weight, bias } = this.embeddingNorm;
    x = layerNorm(x, weight, bias, { epsilon: normEpsilon });
    return maybeDropout(x, dropoutSite("embeddings", dropout, options));
  }

  #call(options: ForwardOptions): BertBlockCall {
    const { heads, normEpsilon: epsilon, attention, dropout } = this.config;
    return {
      heads,
      epsilon,
      attention,
      keyMask: options.keyMask,
      dropout: (place) => dropoutSite(place, dropout, options),
    };
  }

  #head<T>(head: T | undefined, key: string): T {
    if (head) return head;
    throw new ConfigError(`Cannot run this head of BERT: the model was built without ${key}`);
  }
}

function checkConfig(config: Required<BertConfig>): void {
  const { vocabSize, positions, width, heads, layers, intermediate, dropout } = config;
  requirePositiveIntegers("BERT", { vocabSize, positions, width, heads, layers, intermediate });
  for (const key of ["classes", "tokenTypes"] as const) {
    if (!(Number.isInteger(config[key]) && config[key] >= 0)) {
      throw new ConfigError(
        `Cannot build BERT: ${key} is ${config[key]}, expected a whole number of at least 0`,
      );
    }
  }
  requireDivisibleHeads("BERT", width, heads);
  requireProbability("BERT", "dropout", dropout);
}
