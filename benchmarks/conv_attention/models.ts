import type { Gpu } from "../../engine/mod.ts";
import {
  ConvAttention,
  Gpt2,
  type Gpt2Config,
  type LanguageModel,
  ProgressiveDiverging,
  type Stage,
} from "../../models/mod.ts";
import { type ConvAttentionBenchConfig, horizonOf } from "./config.ts";
import { planOf, type Variant } from "./variants.ts";

/** Context length of a variant. */
export function lengthOf(config: ConvAttentionBenchConfig, variant: Variant): number {
  return planOf(variant).context === "long" ? config.training.blockLength : config.model.baseLength;
}

/** Distance of a variant's targets. */
export function targetDistance(config: ConvAttentionBenchConfig, variant: Variant): number {
  return planOf(variant).target === "horizon" ? horizonOf(config) : 1;
}

/** Batches per optimizer step, so that every variant sees as many tokens a step. */
export function accumulateOf(config: ConvAttentionBenchConfig, variant: Variant): number {
  const { blockLength, accumulate } = config.training;
  return accumulate * blockLength / lengthOf(config, variant);
}

/** Sizes of the GPT-2 of a variant. */
export function gpt2Sizes(
  gpu: Gpu,
  config: ConvAttentionBenchConfig,
  variant: Variant,
  vocabSize: number,
): Gpt2Config {
  const { width, heads, layers, initializerRange } = config.model;
  const sizes = {
    ...{ vocabSize, width, heads, layers, initializerRange },
    positions: lengthOf(config, variant),
  };
  if (planOf(variant).equal !== "parameters") return sizes;
  const conv = buildModel(gpu, config, "conv_attention", vocabSize, 1);
  const wanted = conv.parameters.count;
  conv.dispose();
  return { ...sizes, width: widthForParameters(sizes, wanted) };
}

/** Parameters of a GPT-2. */
export function gpt2Parameters({ vocabSize, positions, width, layers }: Gpt2Config): number {
  return (vocabSize + positions) * width + layers * (12 * width ** 2 + 13 * width) + 2 * width;
}

/** The width, a multiple of the heads, whose GPT-2 comes nearest to a number of parameters. */
export function widthForParameters(sizes: Gpt2Config, wanted: number): number {
  const miss = (width: number) => Math.abs(gpt2Parameters({ ...sizes, width }) - wanted);
  let width = sizes.heads;
  while (miss(width + sizes.heads) < miss(width)) width += sizes.heads;
  return width;
}

/** Options of `buildModel`. */
export interface BuildOptions {
  /** Stage of a progressive variant. @default {3} */
  readonly stage?: Stage;
}

/** Builds a variant. */
export function buildModel(
  gpu: Gpu,
  config: ConvAttentionBenchConfig,
  variant: Variant,
  vocabSize: number,
  seed: number,
  { stage = 3 }: BuildOptions = {},
): LanguageModel {
  const plan = planOf(variant);
  if (plan.family === "gpt2") {
    return new Gpt2(gpu, gpt2Sizes(gpu, config, variant, vocabSize), seed);
  }
  if (plan.family === "progressive") {
    return buildProgressive(gpu, config, variant, vocabSize, seed, { stage });
  }
  const { width, factor, levels, vocabMultiple } = config.conv;
  return new ConvAttention(gpu, {
    vocabSize: Math.ceil(vocabSize / vocabMultiple) * vocabMultiple,
    positions: config.training.blockLength,
    width,
    heads: config.model.heads,
    form: plan.form!,
    factor,
    levels,
    initializerRange: config.model.initializerRange,
  }, seed);
}

/** Builds a stage of a progressive variant. */
export function buildProgressive(
  gpu: Gpu,
  config: ConvAttentionBenchConfig,
  variant: Variant,
  vocabSize: number,
  seed: number,
  { stage = 3 }: BuildOptions,
): ProgressiveDiverging {
  const { width, heads, layers, baseLength, initializerRange } = config.model;
  const { rank, alpha } = config.progressive;
  return new ProgressiveDiverging(gpu, {
    vocabSize,
    positions: baseLength,
    width,
    heads,
    layers,
    stage,
    lora: planOf(variant).lora ? { rank, alpha } : null,
    initializerRange,
  }, seed);
}
