import { z } from "zod";
import { checkLsgPattern } from "../../attention/mod.ts";
import { CORPUS_NAMES, QUESTION_FIELDS } from "../../data/mod.ts";
import { parseVariant } from "./variants.ts";

/** Tasks on long documents. */
export const LONG_TASKS = ["union-periods", "licence-pairs", "factbook-questions"] as const;
export type LongTask = typeof LONG_TASKS[number];

const variant = z.string().superRefine((name, context) => {
  try {
    const { attention } = parseVariant(name);
    const pattern = attention(1);
    if (typeof pattern === "object" && pattern.kind === "lsg") checkLsgPattern(pattern);
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
  }
}).meta({ description: "Mechanism with its sizes, e.g. full or lsg-128-128-norm-2" });
const variants = z.array(variant).min(1);
const sampling = {
  maxTimeMs: z.number().positive(),
  minSamples: z.int().positive().default(3),
};
const sizes = {
  width: z.int().positive(),
  heads: z.int().positive(),
  layers: z.int().positive(),
};

const stepSchema = z.strictObject({
  variants,
  ...sizes,
  vocabSize: z.int().positive(),
  batchSize: z.int().positive(),
  length: z.int().positive(),
  attentionDropout: z.number().gt(0).lt(1).default(0.1).meta({
    description: "Probability in the runs with dropout on attention; the others have none",
  }),
  ...sampling,
});

const scalingSchema = z.strictObject({
  lengths: z.array(z.int().positive()).min(3),
  attention: z.strictObject({
    variants,
    heads: z.int().positive(),
    headWidth: z.int().positive(),
  }),
  encoder: z.strictObject({ variants, ...sizes, vocabSize: z.int().positive() }).nullable(),
  fullLimit: z.int().positive().meta({ description: "Longest T for full attention, fused" }),
  naiveLimit: z.int().positive().meta({ description: "Longest T for forms with T x T scores" }),
  memoryBudgetMiB: z.number().positive().meta({ description: "For the longest T that fits" }),
  ...sampling,
});

const encoderSchema = z.strictObject({
  source: z.enum(["own", "hub"]).meta({
    description: "own: pretrained here, with full attention, on training texts and open corpora",
  }),
  repo: z.string().default("FacebookAI/roberta-base"),
  revision: z.string().default("main"),
  vocabSize: z.int().min(300).default(1024),
  width: z.int().positive().default(64),
  heads: z.int().positive().default(2),
  layers: z.int().positive().default(2),
  dropout: z.number().min(0).lt(1).default(0),
  positions: z.int().min(8).default(128).meta({
    description: "Positions of the source encoder; longer inputs get them by conversion",
  }),
  corpora: z.array(z.enum(CORPUS_NAMES)).default([]),
});

const pretrainingSchema = z.strictObject({
  steps: z.int().positive(),
  batchSize: z.int().positive(),
  learningRate: z.number().positive(),
});

const trainingSchema = z.strictObject({
  epochs: z.int().positive(),
  batchSize: z.int().positive(),
  learningRate: z.number().positive(),
  warmupFraction: z.number().min(0).max(1).default(0.1),
  weightDecay: z.number().min(0).default(0.01),
  clipNorm: z.number().positive().default(1),
});

const qualitySchema = z.strictObject({
  seeds: z.int().positive(),
  variants,
  tasks: z.array(z.strictObject({
    name: z.enum(LONG_TASKS),
    length: z.int().min(32).meta({ description: "Tokens of the longest input" }),
    fields: z.int().min(1).max(QUESTION_FIELDS.length).default(QUESTION_FIELDS.length).meta({
      description: "Kinds of questions, of factbook-questions",
    }),
    trainLimit: z.int().positive(),
    variantLimit: z.int().positive().nullable().default(null).meta({
      description: "Training documents of a variant; null takes all",
    }),
    testLimit: z.int().positive(),
    base: trainingSchema.nullable().meta({
      description:
        "Training with full attention before the attention is exchanged; null starts from the pretrained encoder",
    }),
    training: trainingSchema.meta({ description: "Training of every variant" }),
  })).min(1),
});

const extrapolationSchema = z.strictObject({
  seeds: z.int().positive(),
  variant,
  globals: z.int().min(1).max(512),
  factor: z.int().min(2).default(8).meta({
    description: "Length of the long inputs in multiples of the source's positions",
  }),
  trainLimit: z.int().positive(),
  adaptLimit: z.int().positive(),
  testLimit: z.int().positive(),
  training: trainingSchema,
  adaptation: trainingSchema,
});

/** Configuration of the lsg benchmark. */
export const lsgConfigSchema = z.strictObject({
  globals: z.int().min(1).max(512).default(1),
  step: stepSchema.nullable(),
  scaling: scalingSchema.nullable(),
  encoder: encoderSchema,
  pretraining: pretrainingSchema.nullable(),
  quality: qualitySchema.nullable(),
  extrapolation: extrapolationSchema.nullable().meta({ description: "On union-periods" }),
}).superRefine((config, context) => {
  const issue = (path: (string | number)[], message: string) =>
    context.addIssue({ code: "custom", path, message });
  const { encoder, pretraining, quality, extrapolation, step, scaling } = config;
  const divides = (path: string[], { width, heads }: { width: number; heads: number }) => {
    if (width % heads !== 0) issue([...path, "heads"], `width ${width} is no multiple of ${heads}`);
  };
  if (encoder.source === "own") {
    divides(["encoder"], encoder);
    if ((quality || extrapolation) && !pretraining) {
      issue(["pretraining"], "an own encoder needs it");
    }
  }
  if (step) divides(["step"], step);
  if (scaling?.encoder) divides(["scaling", "encoder"], scaling.encoder);
  if (quality && !quality.variants.includes("full")) {
    issue(["quality", "variants"], "must have full, which the others are compared with");
  }
  if (extrapolation && parseVariant(extrapolation.variant).family !== "lsg") {
    issue(["extrapolation", "variant"], "must be a variant of lsg");
  }
});

export type LsgConfig = z.infer<typeof lsgConfigSchema>;
export type QualityTask = NonNullable<LsgConfig["quality"]>["tasks"][number];

/** Every variant that gets a speed or a quality, in order of appearance. */
export function variantsOf({ step, scaling, quality, extrapolation }: LsgConfig): string[] {
  return [
    ...new Set([
      ...(step?.variants ?? []),
      ...(scaling?.attention.variants ?? []),
      ...(scaling?.encoder?.variants ?? []),
      ...(quality?.variants ?? []),
      ...(extrapolation ? [extrapolation.variant] : []),
    ]),
  ];
}
