import { attentionProbabilities, type AttentionScoring } from "../attention/mod.ts";
import {
  add,
  crossEntropy,
  div,
  gather,
  type Gpu,
  maximumScalar,
  mul,
  mulScalar,
  type Parameter,
  ParameterSet,
  reshape,
  slice,
  sum,
  type Tensor,
} from "../engine/mod.ts";
import { type BertConfig, longestInput, resolveBertConfig } from "./bert_config.ts";
import { bertFlops } from "./bert_cost.ts";
import { isSparse, poolsWithGlobal, prependedGlobals } from "./encoder_attention.ts";
import {
  applyBertBlock,
  applyBertBlockWithScores,
  type BertBlock,
  type BertBlockCall,
  type BertLinear,
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
import {
  declareEncoderEmbeddings,
  embedEncoder,
  type EncoderEmbeddings,
} from "./layers/encoder_embeddings.ts";
import {
  firstTextRow,
  type GlobalTokenOptions,
  maskWithGlobals,
  textRows,
} from "./layers/global_tokens.ts";
import { layerScope } from "./layers/layer_scope.ts";
import { dropoutSite } from "./layers/regularization.ts";
import {
  declareSpanHead,
  spanHeadLogits,
  spanHeadLoss,
  type SpanLogits,
} from "./layers/span_head.ts";
import type { ForwardOptions } from "./language_model.ts";
import { ConfigError } from "./model_error.ts";

/** Options of an encoder pass. */
export interface BertOptions extends ForwardOptions, GlobalTokenOptions {
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

/** What is fixed when a model is made, beside its configuration. */
export interface BertBuild {
  /** False for a parameter freezes it: no gradient is computed and no optimizer touches it. @default {all are trained} */
  readonly trainable?: (name: string) => boolean;
}

/**
 * BERT (Devlin et al. 2019) and its kin: post-norm encoder with learned positions and token types, a pooler with a classification head, a
 * masked-language-model head and one that marks an answer. The configuration also describes ALBERT, ELECTRA, the RoBERTa family and DistilBERT,
 * each with full or sparse attention. With local-sparse-global attention G learned tokens (`embeddings.globals`) stand in front of the text inside
 * the encoder; everything that goes in or comes out counts text tokens only.
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
  readonly embeddings: EncoderEmbeddings;
  /** Layers in order; neighbours may share their weights. */
  readonly blocks: readonly BertBlock[];
  readonly classifier: ClassificationHead | undefined;
  readonly maskedHead: BertMaskedHead | undefined;
  readonly spanHead: BertLinear | undefined;
  /** Learned tokens in front of the text. */
  readonly globals: number;

  /**
   * @param gpu Where the model lives.
   * @param config Sizes and heads.
   * @param seed Seed of the initial weights.
   * @param build Which parameters are trained.
   * @throws {RangeError} If a size breaks a rule.
   */
  constructor(readonly gpu: Gpu, config: BertConfig, seed: number, { trainable }: BertBuild = {}) {
    const full = this.config = resolveBertConfig(config);
    this.globals = prependedGlobals(full.attention);
    const { width, layers, layerGroups, intermediate, classes, initializerRange: std } = full;
    const set = this.parameters = new ParameterSet(gpu, seed, trainable);
    this.embeddings = declareEncoderEmbeddings(set, full);
    const groups = Array.from(
      { length: layerGroups },
      (_, i) => declareBertBlock(set, `layer.${i}`, width, intermediate, std),
    );
    this.blocks = Array.from(
      { length: layers },
      (_, i) => groups[Math.floor(i * layerGroups / layers)],
    );
    this.classifier = classes > 0 ? declareClassificationHead(set, width, classes, std) : undefined;
    this.maskedHead = full.maskedHead
      ? declareBertMaskedHead(set, width, this.tokens.shape, std)
      : undefined;
    this.spanHead = full.spanHead ? declareSpanHead(set, width, std) : undefined;
    set.allocate();
  }

  /** Token table [V, E]. */
  get tokens(): Parameter {
    return this.embeddings.tokens;
  }

  /** Text tokens of the longest input. */
  get maxLength(): number {
    return longestInput(this.config);
  }

  /** Final hidden states [B, T, D] of ids i32 [B, T]; rows of padding hold values that mean nothing. */
  hidden(ids: Tensor, options: BertOptions = {}): Tensor {
    return textRows(
      this.#states(ids, options),
      this.globals,
      poolsWithGlobal(this.config.attention),
    );
  }

  /** Logits [B, C] of the classification head, from the first token. */
  classLogits(ids: Tensor, options: BertOptions = {}): Tensor {
    const head = this.#head(this.classifier, "classes");
    const { attention, dropout, pooler } = this.config;
    const first = firstTextRow(
      this.#states(ids, options),
      this.globals,
      poolsWithGlobal(attention),
    );
    return classificationLogits(head, first, pooler, dropoutSite("classifier", dropout, options));
  }

  /** Mean cross-entropy in nats of labels i32 [B]. */
  classificationLoss(ids: Tensor, labels: Tensor, options: BertOptions = {}): Tensor {
    return crossEntropy(this.classLogits(ids, options), labels);
  }

  /** Logits [B, T, V] of the masked-language-model head; for inspection, training uses `maskedLoss`. */
  maskedLogits(ids: Tensor, options: BertOptions = {}): Tensor {
    const head = this.#head(this.maskedHead, "maskedHead");
    return maskedHeadLogits(head, this.hidden(ids, options), this.tokens, this.config);
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
    return maskedHeadLoss(head, gather(rows, 0, places), this.tokens, targets, this.config);
  }

  /** Logits [B, T] of the first and last token of an answer; about -1e30 at padding. */
  spanLogits(ids: Tensor, options: BertOptions = {}): SpanLogits {
    const head = this.#head(this.spanHead, "spanHead");
    return spanHeadLogits(head, this.hidden(ids, options), options.keyMask);
  }

  /** Mean cross-entropy in nats of answers from token `first` to token `last`, both i32 [B]; -1 is ignored. */
  spanLoss(ids: Tensor, first: Tensor, last: Tensor, options: BertOptions = {}): Tensor {
    return spanHeadLoss(this.spanLogits(ids, options), first, last);
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
   *
   * @throws {ConfigError} If the attention is sparse.
   */
  attentionScores(ids: Tensor, options: BertScoreOptions = {}): Tensor {
    this.#requireFullAttention("score tokens");
    const [from, to] = this.scoredLayers(options.layers);
    const { scoring = "row-column", keyMask, tokenTypes } = options;
    return this.gpu.withoutTape(() =>
      this.gpu.scope(() => {
        let x = this.#embed(ids, { keyMask, tokenTypes });
        let total: Tensor | undefined;
        for (const [i, block] of this.blocks.slice(0, to).entries()) {
          const call = { ...this.#call(i, { keyMask }), scoring };
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
   * @throws {ConfigError} If the attention is sparse.
   */
  forEachAttentionMap(
    ids: Tensor,
    visit: (layer: number, probabilities: Tensor) => void,
    options: Omit<BertOptions, "dropoutSeed"> = {},
  ): void {
    this.#requireFullAttention("visit attention maps");
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
          x = applyBertBlock(block, x, this.#call(i, options));
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
    const site = dropoutSite("embeddings", this.config.dropout, options);
    return embedEncoder(this.embeddings, ids, options.tokenTypes, this.config, site);
  }

  /** States [B, G + T, D] after the last layer, global tokens in front. */
  #states(ids: Tensor, options: BertOptions): Tensor {
    const keyMask = maskWithGlobals(options, this.globals);
    let x = this.#embed(ids, options);
    for (const [i, block] of this.blocks.slice(0, options.layers).entries()) {
      x = layerScope(
        this.gpu,
        () => applyBertBlock(block, x, this.#call(i, { ...options, keyMask })),
      );
    }
    return x;
  }

  #call(layer: number, options: ForwardOptions): BertBlockCall {
    const { heads, normEpsilon, attention, activation, dropout, attentionDropout } = this.config;
    return {
      ...{ heads, attention, layer, activation, epsilon: normEpsilon, keyMask: options.keyMask },
      dropout: dropoutSite(`layer.${layer}.attention`, attentionDropout, options),
      residualDropout: (place) => dropoutSite(`layer.${layer}.${place}`, dropout, options),
    };
  }

  #requireFullAttention(action: string): void {
    const { attention } = this.config;
    if (!isSparse(attention)) return;
    throw new ConfigError(
      `Cannot ${action}: the attention of the model is ${attention.kind}, expected "fused" or "naive"; build the model with full attention`,
    );
  }

  #head<T>(head: T | undefined, key: string): T {
    if (head) return head;
    throw new ConfigError(`Cannot run this head of BERT: the model was built without ${key}`);
  }
}
