import { z } from "zod";
import { CORPUS_NAMES, TASK_NAMES } from "../../data/mod.ts";

/** Policies that models are trained and tested under; `none` is the control. */
export const POLICIES = [
  "none",
  "right",
  "left",
  "middle",
  "random",
  "tf-idf",
  "type",
  "occurrence",
  "contextual",
] as const;
export type Policy = typeof POLICIES[number];

const share = z.number().gt(0).lt(1);

const taskSchema = z.strictObject({
  name: z.enum(TASK_NAMES),
  policies: z.array(z.enum(POLICIES)).min(1).meta({ description: "Train and test policies" }),
  seeds: z.int().positive().meta({ description: "Runs on the first fold" }),
  folds: z.int().min(1).default(5).meta({ description: "Parts the groups are dealt into" }),
  extraFolds: z.int().min(0).default(0).meta({
    description: "Further folds for cross-validation, one run each",
  }),
  foldPolicies: z.array(z.enum(POLICIES)).default(["none", "right", "occurrence"]),
  window: z.strictObject({ words: z.int().positive(), perDocument: z.int().positive() }).nullable()
    .meta({ description: "Windows cut from each document; null takes whole documents" }),
  trainLimit: z.int().positive().nullable().default(null),
  testLimit: z.int().positive().nullable().default(null),
});

const encoderSchema = z.strictObject({
  source: z.enum(["own", "hub"]).meta({
    description: "own: pretrained here on the training documents and open corpora",
  }),
  repo: z.string().default("google-bert/bert-base-uncased"),
  revision: z.string().default("main"),
  vocabSize: z.int().min(300).default(2048).meta({ description: "Own BPE vocabulary" }),
  width: z.int().positive().default(64),
  heads: z.int().positive().default(4),
  layers: z.int().positive().default(3),
  dropout: z.number().min(0).lt(1).default(0.1),
});

const pretrainingSchema = z.strictObject({
  corpora: z.array(z.enum(CORPUS_NAMES)).meta({ description: "Corpora beside the documents" }),
  steps: z.int().positive(),
  batchSize: z.int().positive(),
  blockLength: z.int().min(8),
  learningRate: z.number().positive(),
});

const fineTuningSchema = z.strictObject({
  epochs: z.int().min(2),
  batchSize: z.int().positive(),
  learningRate: z.number().positive(),
  warmupFraction: z.number().min(0).max(1).default(0.1),
  weightDecay: z.number().min(0).default(0.01),
  clipNorm: z.number().positive().default(1),
});

const generationSchema = z.strictObject({
  source: z.enum(["own", "hub"]),
  repo: z.string().default("openai-community/gpt2"),
  revision: z.string().default("main"),
  width: z.int().positive().default(64),
  heads: z.int().positive().default(4),
  layers: z.int().positive().default(2),
  steps: z.int().positive(),
  batchSize: z.int().positive(),
  learningRate: z.number().positive(),
  prompts: z.int().min(2),
  promptLength: z.int().min(8),
  newTokens: z.int().positive(),
  shares: z.array(share).min(1),
  seeds: z.int().positive().default(1),
});

const costSchema = z.strictObject({
  length: z.int().positive().meta({ description: "Tokens of the full input" }),
  batchSize: z.int().positive(),
  shares: z.array(share).min(1),
  maxTimeMs: z.number().positive(),
});

/** Configuration of the truncation benchmark. */
export const truncationConfigSchema = z.strictObject({
  tasks: z.array(taskSchema).min(1),
  maxLength: z.int().min(8).meta({
    description: "Longer documents are left out, as in the source",
  }),
  encoder: encoderSchema,
  pretraining: pretrainingSchema.nullable(),
  fineTuning: fineTuningSchema,
  trainShare: share.default(0.5).meta({ description: "Share of its own length a document keeps" }),
  shares: z.array(share).min(1).meta({ description: "Shares kept in the sweep" }),
  contextualLayers: z.int().positive().default(1),
  sourceProtocol: z.boolean().default(true),
  generation: generationSchema.nullable(),
  cost: costSchema.nullable(),
}).superRefine((config, context) => {
  const issue = (path: (string | number)[], message: string) =>
    context.addIssue({ code: "custom", path, message });
  const { encoder, pretraining, contextualLayers } = config;
  if (encoder.source === "own" && !pretraining) issue(["pretraining"], "an own encoder needs it");
  if (encoder.source === "own" && encoder.width % encoder.heads !== 0) {
    issue(["encoder", "heads"], `width ${encoder.width} is not a multiple of ${encoder.heads}`);
  }
  if (encoder.source === "own" && contextualLayers > encoder.layers) {
    issue(["contextualLayers"], `the encoder has ${encoder.layers} layers`);
  }
  config.tasks.forEach((task, i) => {
    if (!task.policies.includes("none")) {
      issue(["tasks", i, "policies"], "must have the control none");
    }
    if (task.extraFolds >= Math.max(task.folds, 1)) {
      issue(["tasks", i, "extraFolds"], `must be below the number of folds (${task.folds})`);
    }
  });
});

export type TruncationConfig = z.infer<typeof truncationConfigSchema>;
export type TaskConfig = TruncationConfig["tasks"][number];

/** One run: a task, a fold and a seed. */
export interface Unit {
  readonly task: TaskConfig;
  readonly fold: number;
  readonly seed: number;
}

/** Name of a unit in tasks, artifacts and seeds. */
export function unitName({ task, fold, seed }: Unit): string {
  return `${task.name}/${fold}/${seed}`;
}

/** All units of a task: the seeds on the first fold, then one run on each further fold. */
export function unitsOf(task: TaskConfig): Unit[] {
  return [
    ...Array.from({ length: task.seeds }, (_, seed) => ({ task, fold: 0, seed })),
    ...Array.from({ length: task.extraFolds }, (_, i) => ({ task, fold: i + 1, seed: 0 })),
  ];
}

/** Policies of a unit. */
export function policiesOf({ task, fold }: Unit): readonly Policy[] {
  return fold === 0 ? task.policies : task.foldPolicies;
}
