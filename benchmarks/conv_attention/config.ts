import { z } from "zod";
import { languageDataSchema, trainingSchema } from "../language_modelling/config.ts";
import { VARIANTS } from "./variants.ts";

const modelSchema = z.strictObject({
  baseLength: z.int().positive().meta({
    description: "Context of gpt2 and progressive_diverging; divides training.blockLength",
  }),
  width: z.int().positive().meta({ description: "Width of gpt2 and progressive_diverging" }),
  heads: z.int().positive().meta({ description: "Heads of every model" }),
  initializerRange: z.number().positive().default(0.02).meta({
    description: "Standard deviation of the initial weights of every model; 0.02 suits wide models",
  }),
  layers: z.int().positive().meta({
    description: "Blocks a token passes in gpt2 and progressive_diverging; a multiple of 4",
  }),
});

const convSchema = z.strictObject({
  width: z.int().positive().meta({ description: "Width at full length; doubled at every level" }),
  factor: z.int().min(2).meta({ description: "Positions merged at each level" }),
  levels: z.int().positive().meta({ description: "Levels of the compressor and the expander" }),
  vocabMultiple: z.int().positive().default(1).meta({
    description: "The vocabulary of the conv models is padded to a multiple of this",
  }),
});

const progressiveSchema = z.strictObject({
  rank: z.int().positive().default(8).meta({ description: "Rank of the LoRA branches" }),
  alpha: z.number().positive().default(16).meta({ description: "Branches count alpha / rank" }),
  stageFractions: z.tuple([z.number().positive(), z.number().positive(), z.number().positive()])
    .default([1 / 3, 1 / 3, 1 / 3]).meta({ description: "Shares of the steps; they add up to 1" }),
});

const speedSchema = z.strictObject({
  maxTimeMs: z.number().positive().meta({ description: "Sampling time per case" }),
  minSamples: z.int().min(3).default(5),
});

const samplingSchema = z.strictObject({
  tokens: z.int().positive().meta({ description: "New tokens per prompt" }),
  temperature: z.number().positive().default(0.8),
});

/** Configuration of the conv_attention benchmark. */
export const convAttentionConfigSchema = z.strictObject({
  variants: z.array(z.enum(VARIANTS)).min(1),
  seeds: z.int().positive().meta({ description: "Training runs per variant" }),
  data: languageDataSchema,
  training: trainingSchema.meta({
    description: "blockLength is the context of the conv models (T); the others' accumulate is " +
      "scaled so that every step has as many tokens",
  }),
  model: modelSchema,
  conv: convSchema,
  progressive: progressiveSchema,
  maxComputeSteps: z.number().min(1).default(4).meta({
    description: "gpt2_equal_compute takes at most this many times the steps",
  }),
  speed: speedSchema.nullable(),
  sampling: samplingSchema.nullable(),
}).superRefine((config, context) => {
  const { model, conv, training, progressive } = config;
  const issue = (path: string[], message: string) =>
    context.addIssue({ code: "custom", path, message });
  const T = training.blockLength;
  const group = conv.factor ** conv.levels;
  if (T % group !== 0) {
    issue(
      ["training", "blockLength"],
      `blockLength is ${T}, expected a multiple of conv.factor ^ conv.levels (${group})`,
    );
  }
  if (T <= group) {
    issue(
      ["training", "blockLength"],
      `blockLength is ${T}, expected more than the horizon (${group})`,
    );
  }
  if (T % model.baseLength !== 0) {
    issue(
      ["model", "baseLength"],
      `baseLength is ${model.baseLength}, expected a divisor of training.blockLength (${T})`,
    );
  }
  for (const [name, width] of [["model", model.width], ["conv", conv.width]] as const) {
    if (width % model.heads !== 0) {
      issue([name, "width"], `width ${width} is not a multiple of model.heads (${model.heads})`);
    }
  }
  if (model.layers % 4 !== 0) {
    issue(["model", "layers"], `layers is ${model.layers}, expected a multiple of 4`);
  }
  if (progressive.rank > model.width) {
    issue(["progressive", "rank"], `rank ${progressive.rank} is over model.width (${model.width})`);
  }
  const sum = progressive.stageFractions.reduce((a, b) => a + b, 0);
  if (Math.abs(sum - 1) > 1e-6) {
    issue(["progressive", "stageFractions"], `the fractions add up to ${sum}, expected 1`);
  }
});

export type ConvAttentionBenchConfig = z.infer<typeof convAttentionConfigSchema>;

/** Distance of the targets of the conv models. */
export function horizonOf({ conv }: ConvAttentionBenchConfig): number {
  return conv.factor ** conv.levels;
}
