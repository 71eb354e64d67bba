import { z } from "zod";
import { leapWindows } from "../../models/mod.ts";
import { languageDataSchema, trainingSchema } from "../language_modelling/config.ts";

/** Models of the comparison; `gpt2` is trained with the fused attention and timed in both forms. */
export const VARIANTS = ["gpt2", "leap-2022-08", "leap-1.0", "leap-1.0.1"] as const;
export type Variant = typeof VARIANTS[number];

const modelSchema = z.strictObject({
  width: z.int().positive().meta({ description: "Model width D" }),
  heads: z.int().positive().meta({ description: "Heads; width must be a multiple" }),
  layers: z.int().positive(),
  windows: z.array(z.int().positive()).nullable().default(null).meta({
    description: "LEAP's window of each layer; null takes the default of the revision",
  }),
  dropout: z.number().min(0).lt(1).default(0),
});

const speedSchema = z.strictObject({
  lengths: z.array(z.int().positive()).min(2).meta({ description: "Sequence lengths T" }),
  batchSize: z.int().positive().default(1),
  layers: z.int().positive().meta({ description: "Layers of the timed models" }),
  maxTimeMs: z.number().positive().meta({ description: "Sampling time per case" }),
  minSamples: z.int().min(3).default(5),
  naiveLimit: z.int().positive().meta({ description: "Longest T tried with the naive baseline" }),
});

const decodeSchema = z.strictObject({
  contexts: z.array(z.int().positive()).min(2).meta({ description: "Context lengths, ascending" }),
  maxTimeMs: z.number().positive().meta({ description: "Sampling time per case" }),
});

const numericsSchema = z.strictObject({
  lengths: z.array(z.int().positive()).min(1),
  windows: z.array(z.int().positive()).min(1).meta({
    description: "Windows; at least T means global",
  }),
  headWidth: z.int().positive().default(32),
});

const explainSchema = z.strictObject({
  blocks: z.int().positive().meta({ description: "Test blocks masked" }),
  fractions: z.array(z.number().gt(0).lt(1)).min(1).meta({
    description: "Shares of the tokens masked",
  }),
  randomDraws: z.int().min(2).default(3).meta({ description: "Random controls per share" }),
});

const scalingSchema = z.strictObject({
  sizes: z.array(z.strictObject({ width: z.int().positive(), layers: z.int().positive() })).min(3),
  heads: z.int().positive(),
  tokensPerParameter: z.number().positive(),
  maxSteps: z.int().positive(),
});

/** Configuration of the leap benchmark. */
export const leapConfigSchema = z.strictObject({
  variants: z.array(z.enum(VARIANTS)).min(1),
  seeds: z.int().positive().meta({ description: "Training runs per variant" }),
  data: languageDataSchema,
  model: modelSchema,
  training: trainingSchema,
  speed: speedSchema.nullable(),
  decode: decodeSchema.nullable(),
  numerics: numericsSchema.nullable(),
  explain: explainSchema.nullable(),
  scaling: scalingSchema.nullable(),
}).superRefine((config, context) => {
  const { width, heads, layers, windows } = config.model;
  const issue = (path: string[], message: string) =>
    context.addIssue({ code: "custom", path, message });
  if (width % heads !== 0) {
    issue(["model", "heads"], `width ${width} is not a multiple of heads ${heads}`);
  }
  const blockLength = config.training.blockLength;
  try {
    leapWindows({
      variant: "2022-08",
      layers,
      positions: blockLength,
      localAttention: true,
      windows: windows ?? undefined,
    });
  } catch (error) {
    issue(["model", "windows"], (error as Error).message);
  }
  for (const { width } of config.scaling?.sizes ?? []) {
    if (width % config.scaling!.heads !== 0) {
      issue(
        ["scaling", "sizes"],
        `width ${width} is not a multiple of heads ${config.scaling!.heads}`,
      );
    }
  }
});

export type LeapBenchConfig = z.infer<typeof leapConfigSchema>;
