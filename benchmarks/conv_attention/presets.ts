import { type ConvAttentionBenchConfig, convAttentionConfigSchema } from "./config.ts";
import { VARIANTS } from "./variants.ts";

/** Every code path at toy size; the figures mean nothing. Horizon 16 in a context of 64. */
const smoke: ConvAttentionBenchConfig = convAttentionConfigSchema.parse({
  variants: VARIANTS,
  seeds: 2,
  data: { corpus: "reasoning-text", outOfDomain: "moby-dick", tokenizer: "byte" },
  training: {
    blockLength: 64,
    batchSize: 4,
    accumulate: 1,
    steps: 18,
    learningRate: 3e-3,
    minLearningRateFraction: 0.1,
    schedule: "cosine",
    warmupFraction: 0.1,
    beta2: 0.95,
    weightDecay: 0.1,
    clipNorm: 1,
    evaluations: 3,
    validationBlocks: 16,
    testBlocks: 32,
  },
  model: { baseLength: 32, width: 16, heads: 2, layers: 4, initializerRange: 0.1 },
  conv: { width: 8, factor: 4, levels: 2 },
  progressive: { rank: 4, alpha: 8 },
  maxComputeSteps: 2,
  speed: { maxTimeMs: 150, minSamples: 3 },
  sampling: { tokens: 32 },
});

/**
 * A laptop GPU, or a quarter of an hour of a software adapter on two cores. One level: the published form then learns to look its targets up
 * within some hundred steps, as it does at the source's sizes within many thousands. The weights start wider than at the source, which suits
 * narrow models.
 */
const small: ConvAttentionBenchConfig = convAttentionConfigSchema.parse({
  variants: VARIANTS,
  seeds: 3,
  data: { corpus: "reasoning-text", outOfDomain: "moby-dick", tokenizer: "byte" },
  training: {
    blockLength: 32,
    batchSize: 16,
    accumulate: 1,
    steps: 450,
    learningRate: 3e-3,
    minLearningRateFraction: 0.1,
    schedule: "cosine",
    warmupFraction: 0.05,
    beta2: 0.95,
    weightDecay: 0.1,
    clipNorm: 1,
    evaluations: 6,
    validationBlocks: 64,
    testBlocks: 512,
  },
  model: { baseLength: 32, width: 32, heads: 2, layers: 4, initializerRange: 0.15 },
  conv: { width: 32, factor: 4, levels: 1 },
  progressive: { rank: 8, alpha: 16 },
  maxComputeSteps: 2,
  speed: { maxTimeMs: 2000, minSamples: 5 },
  sampling: { tokens: 96 },
});

/** The source's sizes and recipe: 524,288 tokens a step in micro-batches of 8, 715 steps of warm-up, 80,000 steps. */
const paper: ConvAttentionBenchConfig = convAttentionConfigSchema.parse({
  variants: VARIANTS,
  seeds: 3,
  data: { corpus: "maths-text", tokenizer: "gpt2" },
  training: {
    blockLength: 1024,
    batchSize: 8,
    accumulate: 64,
    steps: 80_000,
    learningRate: 6e-4,
    minLearningRateFraction: 0.1,
    schedule: "cosine",
    warmupFraction: 715 / 80_000,
    beta1: 0.9,
    beta2: 0.95,
    weightDecay: 0.1,
    clipNorm: 1,
    evaluations: 80,
    validationBlocks: 160,
  },
  model: { baseLength: 256, width: 192, heads: 6, layers: 12 },
  conv: { width: 48, factor: 4, levels: 3, vocabMultiple: 64 },
  progressive: {},
  speed: { maxTimeMs: 10_000, minSamples: 10 },
  sampling: { tokens: 128 },
});

/** Presets of the conv_attention benchmark. */
export const presets = { smoke, small, paper };
