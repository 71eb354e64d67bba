import { type LeapBenchConfig, leapConfigSchema } from "./config.ts";

/** Every code path at toy size; minutes on two CPU cores with the bundled adapter. The figures mean nothing. */
const smoke: LeapBenchConfig = leapConfigSchema.parse({
  variants: ["gpt2", "leap-2022-08", "leap-1.0", "leap-1.0.1"],
  seeds: 2,
  data: {
    corpus: "state-of-the-union",
    outOfDomain: "moby-dick",
    tokenizer: "bpe",
    vocabSize: 512,
  },
  model: { width: 32, heads: 2, layers: 2, dropout: 0.1 },
  training: {
    blockLength: 64,
    batchSize: 4,
    steps: 30,
    learningRate: 3e-3,
    schedule: "linear",
    evaluations: 3,
    validationBlocks: 16,
    testBlocks: 32,
  },
  speed: { lengths: [64, 128, 256], layers: 2, maxTimeMs: 250, minSamples: 3, naiveLimit: 256 },
  decode: { contexts: [32, 64, 128], maxTimeMs: 150 },
  numerics: { lengths: [256, 512], windows: [4, 64, 512], headWidth: 16 },
  explain: { blocks: 8, fractions: [0.2], randomDraws: 2 },
  scaling: {
    sizes: [{ width: 16, layers: 1 }, { width: 32, layers: 1 }, { width: 48, layers: 2 }],
    heads: 2,
    tokensPerParameter: 0.5,
    maxSteps: 30,
  },
});

/** A laptop GPU, or half an hour of a software adapter on two cores. */
const small: LeapBenchConfig = leapConfigSchema.parse({
  variants: ["gpt2", "leap-2022-08", "leap-1.0", "leap-1.0.1"],
  seeds: 3,
  data: {
    corpus: "state-of-the-union",
    outOfDomain: "moby-dick",
    tokenizer: "bpe",
    vocabSize: 2048,
  },
  model: { width: 128, heads: 4, layers: 4, dropout: 0 },
  training: {
    blockLength: 256,
    batchSize: 4,
    steps: 150,
    learningRate: 1e-3,
    schedule: "cosine",
    warmupFraction: 0.05,
    minLearningRateFraction: 0.1,
    evaluations: 6,
    validationBlocks: 32,
    testBlocks: 160,
  },
  speed: {
    lengths: [256, 512, 1024, 2048, 4096, 8192],
    layers: 2,
    maxTimeMs: 6000,
    minSamples: 5,
    naiveLimit: 8192,
  },
  decode: { contexts: [128, 256, 512, 1024, 2048, 4096], maxTimeMs: 1500 },
  numerics: { lengths: [512, 2048, 8192], windows: [4, 8, 16, 32, 64, 2048, 8192] },
  explain: { blocks: 32, fractions: [0.1, 0.2, 0.4], randomDraws: 3 },
  scaling: {
    sizes: [{ width: 32, layers: 2 }, { width: 48, layers: 2 }, { width: 64, layers: 3 }, {
      width: 96,
      layers: 3,
    }],
    heads: 2,
    tokensPerParameter: 0.5,
    maxSteps: 400,
  },
});

/** The source's own experiment (notebook): WikiText-2 raw, T5 tokenizer, 25 epochs, best validation epoch kept. */
const paper: LeapBenchConfig = leapConfigSchema.parse({
  variants: ["gpt2", "leap-2022-08", "leap-1.0", "leap-1.0.1"],
  seeds: 3,
  data: { corpus: "wikitext-2", outOfDomain: "moby-dick", tokenizer: "t5", targets: "inside" },
  model: { width: 128, heads: 4, layers: 6, windows: [4, 8, 16, 32, 64, 2048], dropout: 0.1 },
  training: {
    blockLength: 2048,
    batchSize: 2,
    epochs: 25,
    learningRate: 5e-4,
    schedule: "linear",
    weightDecay: 0.01,
    clipNorm: 1,
    evaluations: 25,
  },
  speed: {
    lengths: [256, 512, 1024, 2048, 4096, 8192],
    layers: 6,
    maxTimeMs: 10000,
    minSamples: 10,
    naiveLimit: 8192,
  },
  decode: { contexts: [128, 256, 512, 1024, 2048, 4096], maxTimeMs: 5000 },
  numerics: { lengths: [512, 2048, 8192], windows: [4, 8, 16, 32, 64, 2048, 8192] },
  explain: { blocks: 64, fractions: [0.05, 0.1, 0.2, 0.4], randomDraws: 5 },
  scaling: {
    sizes: [
      { width: 64, layers: 2 },
      { width: 96, layers: 3 },
      { width: 128, layers: 4 },
      { width: 192, layers: 6 },
      { width: 256, layers: 8 },
    ],
    heads: 2,
    tokensPerParameter: 2,
    maxSteps: 20000,
  },
});

/** Presets of the leap benchmark. */
export const presets = { smoke, small, paper };
