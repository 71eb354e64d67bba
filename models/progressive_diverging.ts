import { matmul, normal, type Parameter, ParameterSet, type Tensor } from "../engine/mod.ts";
import type { Gpu } from "../engine/mod.ts";
import { applyGpt2Block, declareGpt2Block, type Gpt2Block } from "./layers/gpt2_block.ts";
import {
  checkLora,
  declareLora,
  type LoraBranch,
  type LoraConfig,
  type MergedAttention,
  mergeLora,
} from "./layers/lora.ts";
import { applyNorm, declareNorm, type NormWeights } from "./layers/norm.ts";
import { residualLinear } from "./layers/regularization.ts";
import { embedTokens } from "./layers/token_embedding.ts";
import { fusedAttention } from "../attention/mod.ts";
import { gpt2Flops } from "./gpt2_cost.ts";
import type { Decoder, ForwardOptions } from "./language_model.ts";
import { ConfigError, requireDivisibleHeads, requirePositiveIntegers } from "./model_error.ts";
import { PrefixDecoder } from "./prefix_decoder.ts";
import { tiedLogits } from "./layers/language_head.ts";
import { TiedLanguageModel } from "./tied_language_model.ts";

/** Stages of progressive divergence. */
export const STAGES = [1, 2, 3] as const;
export type Stage = typeof STAGES[number];

/** Configuration of `ProgressiveDiverging`. */
export interface ProgressiveConfig {
  readonly vocabSize: number;
  readonly positions: number;
  readonly width: number;
  readonly heads: number;
  /** Blocks a token passes in every stage; a multiple of 4. */
  readonly layers: number;
  /** Stage 1 has layers / 4 blocks used four times in a row, stage 2 layers / 2 used twice, stage 3 each once. */
  readonly stage: Stage;
  /** Branches beside the frozen attention; null trains the attention itself in every stage. @default {rank 8, alpha 16} */
  readonly lora?: LoraConfig | null;
  /** Standard deviation of the initial weights. @default {0.02} */
  readonly initializerRange?: number;
}

/** A block with its low-rank branches, oldest first; only the newest is trained. */
interface ProgressiveBlock {
  readonly base: Gpt2Block;
  readonly branches: readonly LoraBranch<Parameter>[];
}

/**
 * Progressive Diverging in one of its stages: few shared blocks at first, each then copied into two that drift apart. From stage 2 on
 * the copied attention is frozen and a low-rank branch learns beside it; embeddings, norms and MLPs are trained throughout.
 * `growProgressive` makes the next stage, which computes the same function at first.
 */
export class ProgressiveDiverging extends TiedLanguageModel {
  override readonly name: string;
  override readonly parameters: ParameterSet;
  override readonly config: Required<ProgressiveConfig>;
  override readonly tokens: Parameter;
  override readonly positionTable: Parameter;
  readonly finalNorm: NormWeights;
  /** Uses of each block in a row: 4, 2 or 1. */
  readonly uses: number;
  readonly #blocks: readonly ProgressiveBlock[];

  /**
   * @param gpu Where the model lives.
   * @param config Sizes and stage.
   * @param seed Seed of the initial weights.
   */
  constructor(gpu: Gpu, config: ProgressiveConfig, seed: number) {
    super(gpu);
    const full = this.config = {
      lora: { rank: 8, alpha: 16 },
      initializerRange: 0.02,
      ...config,
    };
    this.name = `progressive_diverging-${full.stage}${full.lora ? "" : "-no-lora"}`;
    checkConfig(this.name, full);
    const { vocabSize, positions, width, layers, stage, lora, initializerRange: std } = full;
    this.uses = 2 ** (STAGES.length - stage);
    const set = this.parameters = new ParameterSet(gpu, seed);
    this.tokens = set.add("wte.weight", [vocabSize, width], normal(std));
    this.positionTable = set.add("wpe.weight", [positions, width], normal(std));
    this.#blocks = Array.from({ length: layers / this.uses }, (_, i) => ({
      base: declareGpt2Block(set, `h.${i}`, width, {
        std,
        depth: layers,
        trainAttention: stage === 1 || lora === null,
      }),
      branches: Array.from(
        { length: lora ? stage - 1 : 0 },
        (_, k) =>
          declareLora(set, `h.${i}.lora.${k}`, width, lora!, {
            std,
            trainable: k === stage - 2,
          }),
      ),
    }));
    this.finalNorm = declareNorm(set, "ln_f", width);
    set.allocate();
  }

  override hidden(ids: Tensor, options: ForwardOptions = {}): Tensor {
    const { heads } = this.config;
    return this.#run(
      ids,
      (x, { base, branches }) =>
        applyGpt2Block(base, x, { heads, keyMask: options.keyMask, branches }),
    );
  }

  /**
   * The model with its low-rank branches merged into the attentions, for inference. It shares all other weights with this model and must be
   * disposed before it.
   */
  merge(): MergedProgressive {
    const { gpu } = this;
    const attentions = new Map(this.#blocks.map((block) => {
      const { qkv, projection, attentions } = gpu.scope(() =>
        gpu.withoutTape(() => {
          const made = mergeLora(block.base.qkv, block.base.projection, block.branches);
          for (const t of [made.qkv.weight, made.qkv.bias, made.projection.weight]) t.keep();
          return made;
        })
      );
      return [block, { qkv, projection, attentions }] as const;
    }));
    return {
      logits: (ids, options = {}) =>
        gpu.withoutTape(() => this.#mergedLogits(attentions, ids, options)),
      dispose: () => {
        for (const { qkv, projection } of attentions.values()) {
          for (const t of [qkv.weight, qkv.bias, projection.weight]) t.dispose();
        }
      },
    };
  }

  override decoder(batch: number): Decoder {
    return new PrefixDecoder(this, batch);
  }

  override flops(batch: number, length: number): { forward: number; backward: number } {
    const { width, layers, lora, stage } = this.config;
    const base = gpt2Flops(this.config, batch, length);
    const branches = lora ? stage - 1 : 0;
    const rank = lora?.rank ?? 0;
    const products = branches * layers * batch * length * 8 * width * rank;
    const attention = gpt2Flops({ ...this.config, vocabSize: 0 }, batch, length);
    const dense = batch * length * layers * 24 * width ** 2;
    return {
      forward: base.forward + products + branches * (attention.forward - dense),
      backward: base.backward + 2 * products + branches * (attention.backward - 2 * dense),
    };
  }

  #mergedLogits(
    merged: ReadonlyMap<ProgressiveBlock, MergedAttention>,
    ids: Tensor,
    { keyMask }: ForwardOptions,
  ): Tensor {
    const hidden = this.#run(ids, (x, block) => {
      const { qkv, projection, attentions } = merged.get(block)!;
      const { norm1, norm2, mlpIn, mlpOut } = block.base;
      const mixed = fusedAttention(
        matmul(applyNorm(x, norm1), qkv.weight, { bias: qkv.bias }),
        { heads: attentions * this.config.heads, causal: true, keyMask },
      );
      x = residualLinear(x, mixed, projection, undefined);
      const inner = matmul(applyNorm(x, norm2), mlpIn.weight, {
        bias: mlpIn.bias,
        activation: "geluTanh",
      });
      return residualLinear(x, inner, mlpOut, undefined);
    });
    return tiedLogits(hidden, this.tokens);
  }

  #run(ids: Tensor, apply: (x: Tensor, block: ProgressiveBlock) => Tensor): Tensor {
    let x = embedTokens(this.name, ids, this.tokens, this.positionTable);
    for (const block of this.#blocks) {
      for (let use = 0; use < this.uses; use++) x = apply(x, block);
    }
    return applyNorm(x, this.finalNorm);
  }
}

/** A progressive model with its low-rank branches merged. */
export interface MergedProgressive {
  /** Logits [B, T, V]. */
  logits(ids: Tensor, options?: ForwardOptions): Tensor;
  dispose(): void;
}

/** Where a parameter of a grown model comes from. */
export interface Inherited {
  /** Name in the model before. */
  readonly from: string;
  /** Factor on the gradient: how many of the uses of the old parameter the new one has. */
  readonly share: number;
}

/** Origin of a parameter of stage 2 or 3 in the stage before; undefined for the new branch. */
export function inheritedParameter(name: string, stage: Stage): Inherited | undefined {
  const match = /^h\.(\d+)\.(.*)$/.exec(name);
  if (!match) return { from: name, share: 1 };
  const [, index, rest] = match;
  // Branch k appears in stage k + 2, so the newest has no origin.
  if (rest.startsWith(`lora.${stage - 2}.`)) return undefined;
  return { from: `h.${Math.floor(Number(index) / 2)}.${rest}`, share: 0.5 };
}

/**
 * The next stage of a model: block i starts as a copy of block floor(i / 2), new branches at B = 0, so that the function stays the same. The
 * given model is left as it is.
 *
 * @param seed Seed of the new branches.
 */
export function growProgressive(model: ProgressiveDiverging, seed: number): ProgressiveDiverging {
  const stage = model.config.stage + 1 as Stage;
  if (!STAGES.includes(stage)) {
    throw new RangeError(
      `Cannot grow ${model.name}: its stage is ${model.config.stage}, expected less than ${STAGES.length}`,
    );
  }
  const grown = new ProgressiveDiverging(model.gpu, { ...model.config, stage }, seed);
  for (const parameter of grown.parameters) {
    const origin = inheritedParameter(parameter.name, stage);
    if (origin) model.gpu.copy(model.parameters.get(origin.from), parameter);
  }
  return grown;
}

function checkConfig(what: string, config: Required<ProgressiveConfig>): void {
  const { vocabSize, positions, width, heads, layers, stage, lora } = config;
  requirePositiveIntegers(what, { vocabSize, positions, width, heads, layers });
  requireDivisibleHeads(what, width, heads);
  if (layers % 4 !== 0) {
    throw new ConfigError(
      `Cannot build ${what}: layers is ${layers}, expected a multiple of 4 (the first stage uses each block four times)`,
    );
  }
  if (!STAGES.includes(stage)) {
    throw new ConfigError(`Cannot build ${what}: stage is ${stage}, expected 1, 2 or 3`);
  }
  if (lora) checkLora(what, lora, width);
}
