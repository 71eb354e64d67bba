import { z } from "zod";
import { CORPUS_NAMES } from "../../data/mod.ts";
import { SCHEDULES } from "../../train/mod.ts";

/** Text and tokenizer of a language-model benchmark. */
export const languageDataSchema = z.strictObject({
  corpus: z.enum(CORPUS_NAMES).meta({ description: "Corpus trained and tested on" }),
  paths: z.array(z.string()).default([]).meta({ description: "Files of the text-file corpus" }),
  outOfDomain: z.enum(CORPUS_NAMES).nullable().default(null).meta({
    description: "Corpus whose out_of_domain split is tested too",
  }),
  tokenizer: z.enum(["byte", "bpe", "word", "gpt2", "t5"]).meta({
    description: "bpe and word learn from the training split; t5 comes from the hub",
  }),
  vocabSize: z.int().min(16).default(8192).meta({ description: "Tokens of bpe and word" }),
  targets: z.enum(["next", "inside"]).default("next").meta({
    description: "inside: a block of T tokens has T - 1 targets, as in the source",
  }),
});

/** How a language model is trained. The same for every variant of a run. */
export const trainingSchema = z.strictObject({
  blockLength: z.int().positive().meta({ description: "Tokens per block (T)" }),
  batchSize: z.int().positive().meta({ description: "Blocks per batch (B)" }),
  accumulate: z.int().positive().default(1).meta({ description: "Batches per optimizer step" }),
  steps: z.int().positive().nullable().default(null).meta({
    description: "Optimizer steps; null takes epochs",
  }),
  epochs: z.number().positive().default(1).meta({ description: "Passes over the training split" }),
  learningRate: z.number().positive(),
  minLearningRateFraction: z.number().min(0).max(1).default(0),
  schedule: z.enum(SCHEDULES),
  warmupFraction: z.number().min(0).max(1).default(0).meta({ description: "Share of the steps" }),
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.999),
  weightDecay: z.number().min(0).default(0.01),
  clipNorm: z.number().positive().default(1).meta({ description: "Largest global gradient norm" }),
  evaluations: z.int().positive().default(10).meta({ description: "Validations during training" }),
  validationBlocks: z.int().positive().nullable().default(null).meta({
    description: "Blocks per validation; null takes all",
  }),
  testBlocks: z.int().positive().nullable().default(null).meta({
    description: "Blocks of the final test; null takes all",
  }),
});

export type LanguageDataConfig = z.infer<typeof languageDataSchema>;
export type TrainingConfig = z.infer<typeof trainingSchema>;
