import {
  add,
  constant,
  type Gpu,
  linearCrossEntropy,
  matmul,
  type Parameter,
  ParameterSet,
  reshape,
  type Tensor,
} from "../engine/mod.ts";
import { type BartConfig, resolveBartConfig } from "./bart_config.ts";
import { bartFlops } from "./bart_cost.ts";
import type { BertBuild } from "./bert.ts";
import { attend, isSparse, poolsWithGlobal, prependedGlobals } from "./encoder_attention.ts";
import {
  applyBartBlock,
  applyBartDecoderBlock,
  type BartBlockCall,
  type BartDecoderBlock,
  declareBartDecoderBlock,
} from "./layers/bart_block.ts";
import { type BartEmbeddings, declareBartEmbeddings, embedBart } from "./layers/bart_embeddings.ts";
import { type BertBlock, declareBertBlock } from "./layers/bert_block.ts";
import { type GlobalTokenOptions, maskWithGlobals, textRows } from "./layers/global_tokens.ts";
import { layerScope } from "./layers/layer_scope.ts";
import { applyNorm, declareNorm, type NormWeights } from "./layers/norm.ts";
import { dropoutSite } from "./layers/regularization.ts";
import type { ForwardOptions } from "./language_model.ts";

/** Options of a pass; `keyMask` i32 [B, T] is that of the encoder's input. */
export interface BartOptions extends ForwardOptions, GlobalTokenOptions {
  /** 1 for real tokens of the decoder's input, i32 [B, Td]. Everything is real when left out. */
  readonly decoderKeyMask?: Tensor;
}

/** A text as the decoder sees it. */
export interface EncodedText {
  /** [B, S, D]; S = G + T where global tokens are passed on, else T. */
  readonly states: Tensor;
  /** 1 where a state may be seen, i32 [B, S]. */
  readonly keyMask: Tensor | undefined;
}

/**
 * BART (Lewis et al. 2020): encoder and causal decoder with attention over the encoder's states; token table shared by both and by the logits.
 * The configuration also describes mBART (Liu et al. 2020), BARThez (Kamal Eddine et al. 2021) and Pegasus (Zhang et al. 2020). The encoder may have
 * sparse attention. With local-sparse-global attention G learned tokens stand in front of its text, and the decoder sees them too.
 *
 * @example
 * ```ts ignore
 * const model = new Bart(gpu, { vocabSize: 2048, positions: 1024, width: 64, heads: 4, layers: 3 }, 1);
 * const loss = model.loss(ids, decoderIds, targets, { keyMask }); // all i32, [B, T] or [B, Td]
 * ```
 */
export class Bart {
  readonly name = "bart";
  readonly parameters: ParameterSet;
  readonly config: Required<BartConfig>;
  readonly embeddings: BartEmbeddings;
  readonly encoder: readonly BertBlock[];
  readonly decoder: readonly BartDecoderBlock[];
  readonly encoderNorm: NormWeights | undefined;
  readonly decoderNorm: NormWeights | undefined;
  /** Offset of the logits [V]; published, never trained. */
  readonly logitsBias: Parameter;
  /** Learned tokens in front of the encoder's text. */
  readonly globals: number;

  /**
   * @param gpu Where the model lives.
   * @param config Sizes and attention.
   * @param seed Seed of the initial weights.
   * @param build Which parameters are trained.
   * @throws {RangeError} If a size breaks a rule.
   */
  constructor(readonly gpu: Gpu, config: BartConfig, seed: number, { trainable }: BertBuild = {}) {
    const full = this.config = resolveBartConfig(config);
    const { width, layers, decoderLayers, preNorm, initializerRange: std } = full;
    this.globals = prependedGlobals(full.attention);
    const set = this.parameters = new ParameterSet(gpu, seed, trainable);
    this.embeddings = declareBartEmbeddings(set, full);
    this.encoder = Array.from(
      { length: layers },
      (_, i) => declareBertBlock(set, `encoder.layer.${i}`, width, full.intermediate, std),
    );
    this.decoder = Array.from(
      { length: decoderLayers },
      (_, i) =>
        declareBartDecoderBlock(set, `decoder.layer.${i}`, width, full.decoderIntermediate, std),
    );
    this.encoderNorm = preNorm ? declareNorm(set, "encoder.norm", width) : undefined;
    this.decoderNorm = preNorm ? declareNorm(set, "decoder.norm", width) : undefined;
    this.logitsBias = set.add("head.bias", [full.vocabSize], constant(0), { trainable: false });
    set.allocate();
  }

  /** Encodes ids i32 [B, T] for the decoder. */
  encode(ids: Tensor, options: BartOptions = {}): EncodedText {
    const all = maskWithGlobals(options, this.globals);
    const states = this.#encoderStates(ids, all, options);
    if (this.config.passGlobals) return { states, keyMask: all };
    const pooled = poolsWithGlobal(this.config.attention);
    return { states: textRows(states, this.globals, pooled), keyMask: options.keyMask };
  }

  /** Final states of the encoder [B, T, D] at the text tokens of ids i32 [B, T]. */
  encoderHidden(ids: Tensor, options: BartOptions = {}): Tensor {
    const all = maskWithGlobals(options, this.globals);
    const { attention, passGlobals } = this.config;
    // The first text token takes a global token's place only where the global tokens themselves are dropped.
    const pooled = !passGlobals && poolsWithGlobal(attention);
    return textRows(this.#encoderStates(ids, all, options), this.globals, pooled);
  }

  /** Final states of the decoder [B, Td, D] after decoderIds i32 [B, Td]. */
  decode(encoded: EncodedText, decoderIds: Tensor, options: BartOptions = {}): Tensor {
    const { config } = this;
    const { decoderHeads: heads, dropout, attentionDropout } = config;
    const name = (i: number, place: string) => `decoder.layer.${i}.${place}`;
    const site = dropoutSite("decoder.embeddings", dropout, options);
    let x = embedBart(this.embeddings, "decoder", decoderIds, config, site);
    for (const [i, block] of this.decoder.entries()) {
      const call = {
        ...this.#call(`decoder.layer.${i}`, options),
        ...{ heads, encoded, form: this.#decoderForm(), keyMask: options.decoderKeyMask },
        attentionDropout: (place: string) => dropoutSite(name(i, place), attentionDropout, options),
      };
      x = layerScope(this.gpu, () => applyBartDecoderBlock(block, x, call));
    }
    return this.decoderNorm ? applyNorm(x, this.decoderNorm) : x;
  }

  /** Logits [B, Td, V] of the tokens after decoderIds i32 [B, Td]; for inspection and generation, training uses `loss`. */
  logits(ids: Tensor, decoderIds: Tensor, options: BartOptions = {}): Tensor {
    return this.logitsOf(this.decode(this.encode(ids, options), decoderIds, options));
  }

  /** Logits [..., V] of the decoder's states [..., D]. */
  logitsOf(states: Tensor): Tensor {
    return add(matmul(states, this.embeddings.tokens, { transposeB: true }), this.logitsBias);
  }

  /**
   * Mean cross-entropy in nats of the output; logits are never materialised.
   *
   * @param ids Input, i32 [B, T].
   * @param decoderIds Output moved right by one, the start id in front (see `shiftRight`), i32 [B, Td].
   * @param targets Output, i32 [B, Td]; -1 is ignored.
   */
  loss(ids: Tensor, decoderIds: Tensor, targets: Tensor, options: BartOptions = {}): Tensor {
    const states = this.decode(this.encode(ids, options), decoderIds, options);
    const rows = reshape(states, [states.size / states.dim(-1), states.dim(-1)]);
    return linearCrossEntropy(rows, this.embeddings.tokens, targets.view([targets.size]), {
      bias: this.logitsBias,
    });
  }

  /** Floating-point operations of encoder and decoder for inputs [B, T] and outputs [B, Td], logits not counted. */
  flops(batch: number, length: number, outputs: number): { forward: number; backward: number } {
    return bartFlops(this.config, batch, length, outputs);
  }

  dispose(): void {
    this.parameters.dispose();
  }

  #encoderStates(ids: Tensor, keyMask: Tensor | undefined, options: ForwardOptions): Tensor {
    const { config } = this;
    const { heads, attention, dropout, attentionDropout } = config;
    const site = dropoutSite("encoder.embeddings", dropout, options);
    let x = embedBart(this.embeddings, "encoder", ids, config, site);
    for (const [layer, block] of this.encoder.entries()) {
      const name = `encoder.layer.${layer}`;
      const call = {
        ...{ heads, attention, layer, keyMask },
        dropout: dropoutSite(`${name}.attention`, attentionDropout, options),
      };
      x = layerScope(
        this.gpu,
        () => applyBartBlock(block, x, this.#call(name, options), (qkv) => attend(qkv, call)),
      );
    }
    return this.encoderNorm ? applyNorm(x, this.encoderNorm) : x;
  }

  #call(name: string, options: ForwardOptions): BartBlockCall {
    const { preNorm, activation, dropout, activationDropout } = this.config;
    return {
      ...{ preNorm, activation },
      dropout: (place) => {
        const p = place === "activation" ? activationDropout : dropout;
        return dropoutSite(`${name}.${place}`, p, options);
      },
    };
  }

  /** The decoder's attention is full, in the form of the encoder's. */
  #decoderForm(): "fused" | "naive" {
    const { attention } = this.config;
    return (isSparse(attention) ? attention.form : attention) === "naive" ? "naive" : "fused";
  }
}

/**
 * The decoder's input for outputs [B, T]: each row moved right by one with `startId` in front, and `padId` where an output is -1.
 *
 * @param outputs Ids row by row; -1 where there is none.
 * @param length T.
 */
export function shiftRight(
  outputs: Int32Array,
  length: number,
  { startId, padId }: { startId: number; padId: number },
): Int32Array<ArrayBuffer> {
  return Int32Array.from(outputs, (_, i) => {
    if (i % length === 0) return startId;
    return outputs[i - 1] === -1 ? padId : outputs[i - 1];
  });
}
