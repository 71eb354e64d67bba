import { type LsgConfig, lsgConfigSchema } from "./config.ts";

/** Every code path at toy size; minutes on two CPU cores with the bundled adapter. The figures mean nothing. */
const smoke: LsgConfig = lsgConfigSchema.parse({
  step: {
    variants: [
      "full",
      "full-naive",
      "longformer-16",
      "bigbird-16-1",
      "lsg-32-0",
      "lsg-16-16-norm-2",
    ],
    ...{ width: 16, heads: 2, layers: 1, vocabSize: 64, batchSize: 1, length: 128 },
    ...{ maxTimeMs: 100, minSamples: 3 },
  },
  scaling: {
    lengths: [64, 128, 256, 512],
    attention: {
      variants: [
        "full",
        "full-naive",
        "lsg-16-16-norm-2",
        "lsg-16-16-norm-2-naive",
        "bigbird-16-1",
      ],
      ...{ heads: 2, headWidth: 8 },
    },
    encoder: {
      variants: ["full", "lsg-16-16-norm-2", "longformer-16"],
      ...{ width: 16, heads: 2, layers: 1, vocabSize: 64 },
    },
    ...{ fullLimit: 256, naiveLimit: 256, memoryBudgetMiB: 64, maxTimeMs: 60, minSamples: 3 },
  },
  encoder: {
    ...{ source: "own", vocabSize: 400, width: 16, heads: 2, layers: 2, dropout: 0.1 },
    positions: 32,
  },
  pretraining: { steps: 6, batchSize: 4, learningRate: 2e-3 },
  quality: {
    seeds: 2,
    variants: ["full", "longformer-8", "lsg-8-8-norm-2", "lsg-8-8-bos_pooling-4"],
    tasks: (["union-periods", "licence-pairs", "factbook-questions"] as const).map((name) => ({
      ...{ name, length: 64, trainLimit: 16, testLimit: 24 },
      base: name === "union-periods" ? { epochs: 2, batchSize: 8, learningRate: 2e-3 } : null,
      training: { epochs: 1, batchSize: 8, learningRate: 2e-3 },
    })),
  },
  extrapolation: {
    ...{ seeds: 1, variant: "lsg-16-16-norm-2", globals: 4, factor: 4 },
    ...{ trainLimit: 16, adaptLimit: 8, testLimit: 12 },
    training: { epochs: 2, batchSize: 8, learningRate: 2e-3 },
    adaptation: { epochs: 1, batchSize: 4, learningRate: 2e-3 },
  },
});

/** Types and factors that the quality of small models is compared for. */
const SMALL_LSG = [
  "lsg-16-0",
  "lsg-16-16-norm-2",
  "lsg-16-16-norm-4",
  "lsg-16-16-pooling-4",
  "lsg-16-16-lsh-4",
  "lsg-16-16-stride-4",
  "lsg-16-16-block_stride-4",
  "lsg-16-16-bos_pooling-4",
  "lsg-16-16-bos_pooling-8",
];

/** The source's efficiency table, with every form beside it. */
const TABLE = [
  "full",
  "full-naive",
  "longformer-256",
  "bigbird-64-3",
  "lsg-256-0",
  "lsg-128-128-norm-2",
  "lsg-32-32-norm-2",
];

/** A laptop GPU, or a quarter of an hour of a software adapter on two cores. */
const small: LsgConfig = lsgConfigSchema.parse({
  step: {
    variants: TABLE,
    ...{ width: 128, heads: 2, layers: 2, vocabSize: 1024, batchSize: 1, length: 2048 },
    ...{ maxTimeMs: 3000, minSamples: 3 },
  },
  scaling: {
    lengths: [512, 1024, 2048, 4096, 8192, 16384],
    attention: {
      variants: [...TABLE, "lsg-128-128-norm-2-naive"],
      ...{ heads: 2, headWidth: 32 },
    },
    encoder: {
      variants: ["full", "longformer-256", "bigbird-64-3", "lsg-256-0", "lsg-128-128-norm-2"],
      ...{ width: 64, heads: 2, layers: 1, vocabSize: 1024 },
    },
    ...{ fullLimit: 8192, naiveLimit: 2048, memoryBudgetMiB: 1024, maxTimeMs: 2000, minSamples: 3 },
  },
  encoder: {
    ...{ source: "own", vocabSize: 1024, width: 32, heads: 4, layers: 2, positions: 128 },
  },
  pretraining: { steps: 60, batchSize: 8, learningRate: 2e-3 },
  quality: {
    seeds: 3,
    variants: ["full", "longformer-16", "bigbird-16-1", ...SMALL_LSG],
    tasks: [
      {
        ...{ name: "union-periods", length: 256, trainLimit: 320, variantLimit: 64, testLimit: 96 },
        base: { epochs: 4, batchSize: 8, learningRate: 2e-3 },
        training: { epochs: 1, batchSize: 8, learningRate: 1e-3 },
      },
      {
        ...{ name: "licence-pairs", length: 128, trainLimit: 512, variantLimit: 64, testLimit: 96 },
        base: { epochs: 2, batchSize: 16, learningRate: 1e-3 },
        training: { epochs: 1, batchSize: 8, learningRate: 1e-3 },
      },
      {
        ...{ name: "factbook-questions", length: 192, fields: 4 },
        ...{ trainLimit: 768, variantLimit: 96, testLimit: 120 },
        base: { epochs: 8, batchSize: 16, learningRate: 3e-3 },
        training: { epochs: 1, batchSize: 8, learningRate: 1e-3 },
      },
    ],
  },
  extrapolation: {
    ...{ seeds: 3, variant: "lsg-64-64-norm-2", globals: 8, factor: 8 },
    ...{ trainLimit: 320, adaptLimit: 128, testLimit: 64 },
    training: { epochs: 10, batchSize: 16, learningRate: 3e-3 },
    adaptation: { epochs: 1, batchSize: 8, learningRate: 3e-4 },
  },
});

/** The source's sizes: RoBERTa base from the hub, 4 x 4096 tokens, converted from 512 positions. */
const paper: LsgConfig = lsgConfigSchema.parse({
  step: {
    variants: TABLE,
    ...{ width: 768, heads: 12, layers: 12, vocabSize: 50265, batchSize: 4, length: 4096 },
    ...{ maxTimeMs: 60_000, minSamples: 5 },
  },
  scaling: {
    lengths: [512, 1024, 2048, 4096, 8192, 16384],
    attention: { variants: [...TABLE, "lsg-128-128-norm-2-naive"], heads: 12, headWidth: 64 },
    encoder: {
      variants: ["full", "longformer-256", "bigbird-64-3", "lsg-256-0", "lsg-128-128-norm-2"],
      ...{ width: 768, heads: 12, layers: 12, vocabSize: 50265 },
    },
    ...{ fullLimit: 16384, naiveLimit: 4096, memoryBudgetMiB: 24 * 1024 },
    ...{ maxTimeMs: 20_000, minSamples: 5 },
  },
  encoder: { source: "hub", positions: 512 },
  pretraining: null,
  quality: {
    seeds: 3,
    variants: [
      ...["full", "longformer-256", "bigbird-64-3", "lsg-256-0"],
      ...["norm", "pooling", "lsh", "stride", "block_stride", "bos_pooling"].flatMap((type) =>
        [2, 4, 8].map((factor) => `lsg-128-128-${type}-${factor}`)
      ),
    ],
    tasks: (["union-periods", "licence-pairs", "factbook-questions"] as const).map((name) => ({
      ...{ name, length: 4096, trainLimit: 2048, testLimit: 510 },
      base: null,
      training: { epochs: 3, batchSize: 4, learningRate: 2e-5 },
    })),
  },
  extrapolation: {
    ...{ seeds: 3, variant: "lsg-128-128-norm-2", globals: 64, factor: 8 },
    ...{ trainLimit: 2048, adaptLimit: 512, testLimit: 512 },
    training: { epochs: 3, batchSize: 16, learningRate: 2e-5 },
    adaptation: { epochs: 1, batchSize: 4, learningRate: 1e-4 },
  },
});

/** Presets of the lsg benchmark. */
export const presets = { smoke, small, paper };
