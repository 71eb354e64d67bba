import { POLICIES, type TruncationConfig, truncationConfigSchema } from "./config.ts";

const all = [...POLICIES];

/** Every code path at toy size; minutes on two CPU cores with the bundled adapter. The figures mean nothing. */
const smoke: TruncationConfig = truncationConfigSchema.parse({
  tasks: [{
    name: "factbook-sections",
    policies: all,
    seeds: 2,
    extraFolds: 1,
    window: { words: 20, perDocument: 1 },
    trainLimit: 80,
    testLimit: 32,
  }],
  maxLength: 96,
  encoder: { source: "own", vocabSize: 512, width: 32, heads: 2, layers: 2, dropout: 0.1 },
  pretraining: {
    corpora: ["moby-dick"],
    steps: 12,
    batchSize: 8,
    blockLength: 48,
    learningRate: 2e-3,
  },
  fineTuning: { epochs: 2, batchSize: 16, learningRate: 2e-3 },
  shares: [0.25, 0.5, 0.75],
  generation: {
    source: "own",
    width: 32,
    heads: 2,
    layers: 2,
    steps: 12,
    batchSize: 8,
    learningRate: 2e-3,
    prompts: 8,
    promptLength: 24,
    newTokens: 8,
    shares: [0.5],
  },
  cost: { length: 64, batchSize: 8, shares: [0.5], maxTimeMs: 200 },
});

/** A laptop GPU, or a quarter of an hour of a software adapter on two cores. */
const small: TruncationConfig = truncationConfigSchema.parse({
  tasks: [
    {
      name: "factbook-sections",
      policies: all,
      seeds: 3,
      extraFolds: 4,
      window: { words: 32, perDocument: 1 },
      trainLimit: 512,
      testLimit: 240,
    },
    {
      name: "union-periods",
      policies: ["none", "right", "random", "tf-idf", "occurrence", "contextual"],
      seeds: 3,
      window: { words: 36, perDocument: 8 },
      trainLimit: 512,
      testLimit: 200,
    },
  ],
  maxLength: 128,
  encoder: { source: "own", vocabSize: 2048, width: 64, heads: 4, layers: 2, dropout: 0 },
  pretraining: {
    corpora: ["moby-dick"],
    steps: 80,
    batchSize: 16,
    blockLength: 48,
    learningRate: 1e-3,
  },
  fineTuning: { epochs: 4, batchSize: 16, learningRate: 2e-3 },
  shares: [0.1, 0.3, 0.5, 0.7, 0.9],
  generation: {
    source: "own",
    width: 64,
    heads: 4,
    layers: 2,
    steps: 120,
    batchSize: 16,
    learningRate: 2e-3,
    prompts: 24,
    promptLength: 48,
    newTokens: 16,
    shares: [0.25, 0.5, 0.75],
    seeds: 2,
  },
  cost: { length: 128, batchSize: 16, shares: [0.25, 0.5, 0.75], maxTimeMs: 1500 },
});

/** The source's experiment: 20 Newsgroups in its own split, BERT base, two epochs; and every fold of it. */
const paper: TruncationConfig = truncationConfigSchema.parse({
  tasks: [{
    name: "20-newsgroups",
    policies: all,
    seeds: 3,
    folds: 5,
    extraFolds: 4,
    window: null,
  }],
  maxLength: 512,
  encoder: { source: "hub" },
  pretraining: null,
  fineTuning: { epochs: 2, batchSize: 16, learningRate: 3e-5 },
  shares: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
  contextualLayers: 2,
  generation: {
    source: "hub",
    steps: 1,
    batchSize: 1,
    learningRate: 5e-5,
    prompts: 200,
    promptLength: 256,
    newTokens: 64,
    shares: [0.1, 0.3, 0.5, 0.7, 0.9],
  },
  cost: { length: 512, batchSize: 16, shares: [0.1, 0.25, 0.5, 0.75], maxTimeMs: 10_000 },
});

/** Presets of the truncation benchmark. */
export const presets = { smoke, small, paper };
