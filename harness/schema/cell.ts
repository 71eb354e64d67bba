/** The schema of one result row (a cell) and of what hangs on it: timings, metrics, curves, audits. */
import { z } from "zod";
import {
  clockSchema,
  intervalSchema,
  nanosecondsSchema,
  paramsSchema,
  sha256Schema,
} from "./_base.ts";

/** Machine-readable reasons for a status other than `ok`, and for a flag on an `ok` row. */
export const reasonCodeSchema = z.enum([
  "error",
  "out-of-memory",
  "binding-too-large",
  "validation-error",
  "device-lost",
  "aborted",
  "time-limit",
  "unsupported",
  "not-applicable",
  "missing-data",
  "not-finite",
  "parity-red",
  "audit-red",
  "audit-invalid",
  "implausible-time",
  "unstable",
  "drift",
  "other",
]).meta({ description: "Reason code" });

export const reasonSchema = z.strictObject({
  code: reasonCodeSchema,
  message: z.string().meta({ description: "One sentence for people" }),
}).meta({ description: "Why a row is not ok, or what to keep in mind about it" });

export const statusSchema = z.enum(["ok", "failed", "skipped", "invalid"]).meta({
  description: "ok: usable; failed: it broke; skipped: not tried; invalid: measured but not usable",
});

export const implementationSchema = z.strictObject({
  form: z.enum(["naive", "fused", "peer", "reference", "none"]).meta({
    description: "naive: plain engine operations; fused: own kernel; peer: another library",
  }),
  label: z.enum(["dense-masked", "truly-sparse", "dense", "linear", "n/a"]).default("n/a").meta({
    description: "Honest complexity class: no cost claim may rest on a dense-masked form",
  }),
  dtypes: z.array(z.string()).default(["f32"]).meta({ description: "Data types used, e.g. f32" }),
  kernels: z.record(z.string(), sha256Schema).default({}).meta({
    description: "SHA-256 of the shader source of each kernel, by kernel name",
  }),
  weightsSha256: sha256Schema.nullable().default(null).meta({
    description: "SHA-256 of the trained or loaded weights",
  }),
  parameters: z.int().nonnegative().nullable().default(null).meta({
    description: "Number of trainable parameters of the model",
  }),
  stateBytes: z.int().nonnegative().nullable().default(null).meta({
    description: "Bytes of decoding state per sequence (KV cache or recurrent state)",
  }),
  peer: z.strictObject({
    name: z.string().meta({ description: "Package name" }),
    version: z.string().meta({ description: "Package version" }),
    backend: z.string().meta({ description: "Backend used, e.g. wasm or webgpu" }),
  }).nullable().default(null).meta({ description: "The other library, when form is peer" }),
}).meta({ description: "What exactly was run" });

export const statsSchema = z.strictObject({
  formulaVersion: z.int().meta({ description: "Version of the formulas of this block" }),
  n: z.int().meta({ description: "Number of samples" }),
  medianNs: z.number().meta({ description: "Median, per repetition" }),
  q25Ns: z.number().meta({ description: "Lower quartile, per repetition" }),
  q75Ns: z.number().meta({ description: "Upper quartile, per repetition" }),
  madNs: z.number().meta({ description: "Median absolute deviation (unscaled), per repetition" }),
  minNs: z.number().meta({ description: "Smallest sample, per repetition" }),
  maxNs: z.number().meta({ description: "Largest sample, per repetition" }),
  outliers: z.int().meta({ description: "Samples outside the Tukey fences; none is dropped" }),
  interval: intervalSchema.nullable().meta({ description: "Interval of the median" }),
}).meta({ description: "Derived from samplesNs and recomputable from it" });

export const timingFlagSchema = z.enum([
  "implausible",
  "near-launch-floor",
  "coarse-clock",
  "drift",
  "unstable-warmup",
  "wide-interval",
]).meta({ description: "What to keep in mind about a timing" });

export const timingSchema = z.strictObject({
  phase: z.string().meta({ description: "What is timed, e.g. forward, forward+backward, step" }),
  session: z.int().positive().default(1).meta({
    description: "Process that took the samples; sessions are never pooled silently",
  }),
  clock: clockSchema,
  number: z.int().positive().default(1).meta({ description: "Repetitions inside one sample" }),
  samplesNs: z.array(nanosecondsSchema).meta({
    description: "Every sample (of `number` repetitions), in the order taken, untrimmed",
  }),
  wallNs: z.array(nanosecondsSchema).default([]).meta({
    description: "Wall time of each sample, where clock is timestamp-query",
  }),
  startNs: z.array(nanosecondsSchema).default([]).meta({
    description: "Start of each sample, since the start of the measurement",
  }),
  blocks: z.array(z.int().nonnegative()).default([]).meta({
    description: "Randomised block of each sample; equal numbers pair up across variants",
  }),
  warmupSamplesNs: z.array(nanosecondsSchema).default([]).meta({
    description: "Untimed first runs; the first one includes pipeline creation",
  }),
  emptyDispatchNs: z.number().nonnegative().nullable().default(null).meta({
    description: "Median of an empty timed submission: the floor under every sample",
  }),
  stop: z.enum(["interval-width", "max-samples", "max-time", "fixed", "aborted"]).default("fixed")
    .meta({ description: "Which rule ended the sampling" }),
  flags: z.array(timingFlagSchema).default([]).meta({ description: "Warnings about this timing" }),
  stats: statsSchema.nullable().default(null).meta({
    description: "Derived figures; null where there is no sample",
  }),
}).meta({ description: "One timed phase" });

export const metricSchema = z.strictObject({
  metric: z.string().meta({ description: "Name, e.g. perplexity, accuracy, tokens-per-second" }),
  unit: z.string().meta({ description: "Unit, e.g. nats/token, 1, bytes, tokens/s" }),
  value: z.number().nullable().meta({
    description: "Value; null where it failed or is not finite",
  }),
  better: z.enum(["lower", "higher", "neither"]).default("neither").meta({
    description: "Which direction is good",
  }),
  seed: z.int().nullable().default(null).meta({ description: "Seed of the run behind the value" }),
  split: z.string().nullable().default(null).meta({ description: "Data split, e.g. test" }),
  n: z.int().nonnegative().nullable().default(null).meta({
    description: "Number of items the value is a mean over",
  }),
  interval: intervalSchema.nullable().default(null).meta({ description: "Interval of the value" }),
  slices: z.record(z.string(), z.number().nullable()).default({}).meta({
    description: "The same metric on named parts of the split",
  }),
}).meta({ description: "One figure of quality or cost" });

export const curveSchema = z.strictObject({
  name: z.string().meta({ description: "Name, e.g. training loss" }),
  xLabel: z.string().meta({ description: "Axis label with unit, e.g. step" }),
  yLabel: z.string().meta({ description: "Axis label with unit, e.g. loss (nats/token)" }),
  seed: z.int().nullable().default(null).meta({ description: "Seed of the run behind the curve" }),
  points: z.array(z.tuple([z.number(), z.number().nullable()])).meta({
    description: "[x, y] pairs in order; y is null where it was not finite",
  }),
}).meta({ description: "One curve" });

export const auditSchema = z.strictObject({
  id: z.string().meta({ description: "Which audit, e.g. causality, parity, gradients" }),
  subject: z.string().default("").meta({ description: "Variant or part that was audited" }),
  n: z.int().nonnegative().meta({ description: "Number of values compared; 0 makes it invalid" }),
  statistic: z.number().nullable().meta({ description: "Worst value found; null where none" }),
  threshold: z.number().nullable().meta({ description: "Bound that the statistic must not pass" }),
  canaries: z.tuple([z.int().nonnegative(), z.int().nonnegative()]).meta({
    description: "[caught, planted] faults; a missed one makes the audit invalid",
  }),
  status: z.enum(["ok", "red", "invalid"]).meta({
    description: "ok: holds; red: a finding; invalid: the audit has no power here",
  }),
  detail: z.string().meta({ description: "One sentence: what was compared and what was found" }),
}).meta({ description: "One audit with its evidence" });

export const attachmentSchema = z.strictObject({
  name: z.string().meta({ description: "File name in the folder named like the result file" }),
  mediaType: z.string().meta({ description: "Media type, e.g. application/json" }),
  bytes: z.int().nonnegative().meta({ description: "Size in bytes" }),
  sha256: sha256Schema,
}).meta({ description: "A side file, by content" });

export const cellSchema = z.strictObject({
  task: z.string().meta({ description: "Task of the plan that recorded the row" }),
  variant: z.string().meta({ description: "What was compared, e.g. leap or gpt2" }),
  params: paramsSchema.default({}),
  status: statusSchema.default("ok"),
  reasons: z.array(reasonSchema).default([]).meta({ description: "Why, where not plainly ok" }),
  implementation: implementationSchema.nullable().default(null).meta({
    description: "What exactly was run",
  }),
  timings: z.array(timingSchema).default([]).meta({ description: "Timed phases" }),
  durationsNs: z.strictObject({
    compile: nanosecondsSchema.nullable().default(null).meta({ description: "Pipeline creation" }),
    warmup: nanosecondsSchema.nullable().default(null).meta({ description: "Warm-up" }),
    timed: nanosecondsSchema.nullable().default(null).meta({ description: "Timed part" }),
    total: nanosecondsSchema.nullable().default(null).meta({ description: "Whole row, wall time" }),
  }).nullable().default(null).meta({ description: "Where the wall time went" }),
  memoryBytes: z.strictObject({
    peak: z.int().nonnegative().meta({ description: "Peak of live GPU buffer bytes" }),
    byTag: z.record(z.string(), z.int().nonnegative()).default({}).meta({
      description: "Peak bytes by class: parameters, optimizer, activations, workspace",
    }),
  }).nullable().default(null).meta({ description: "Exact ledger of GPU buffers" }),
  cost: z.strictObject({
    flops: z.number().nonnegative().nullable().meta({
      description: "Analytic floating-point operations per repetition",
    }),
    bytes: z.number().nonnegative().nullable().meta({
      description: "Analytic bytes that must move to and from memory per repetition",
    }),
    phase: z.string().default("").meta({ description: "The timed phase this cost belongs to" }),
    formulaVersion: z.int().positive().default(1).meta({ description: "Version of the formulas" }),
  }).nullable().default(null).meta({ description: "Analytic cost" }),
  metrics: z.array(metricSchema).default([]).meta({ description: "Figures of quality and cost" }),
  curves: z.array(curveSchema).default([]).meta({ description: "Curves" }),
  audits: z.array(auditSchema).default([]).meta({ description: "Audits of this very row" }),
  attachments: z.array(attachmentSchema).default([]).meta({ description: "Side files" }),
  notes: z.array(z.string()).default([]).meta({ description: "Remarks for the report" }),
}).meta({ description: "One result row" });

export type ReasonCode = z.infer<typeof reasonCodeSchema>;
export type Reason = z.infer<typeof reasonSchema>;
export type Implementation = z.infer<typeof implementationSchema>;
export type Stats = z.infer<typeof statsSchema>;
export type TimingFlag = z.infer<typeof timingFlagSchema>;
export type Timing = z.infer<typeof timingSchema>;
export type Metric = z.infer<typeof metricSchema>;
export type Curve = z.infer<typeof curveSchema>;
export type Audit = z.infer<typeof auditSchema>;
export type Attachment = z.infer<typeof attachmentSchema>;
/** A recorded row, all defaults filled in. */
export type Cell = z.infer<typeof cellSchema>;
/** What a benchmark hands to `record`: optional keys may be left out; `task` is filled in. */
export type CellInput = Omit<z.input<typeof cellSchema>, "task">;
