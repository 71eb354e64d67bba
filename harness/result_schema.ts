/**
 * The result file: one closed zod schema, from which types, checks and the published JSON Schema come.
 *
 * Rules: unknown keys are refused; no NaN or infinity (null means failed); durations are whole
 * nanoseconds; samples are kept in order and untrimmed; derived figures carry a formula version.
 */
import { z } from "zod";
import { instantSchema, paramsSchema, sha256Schema } from "./schema/_base.ts";
import { attachmentSchema, auditSchema, cellSchema, reasonSchema } from "./schema/cell.ts";
import { comparisonSchema } from "./schema/comparison.ts";
import { calibrationSchema, environmentSchema, systemSchema } from "./schema/machine.ts";
import { reportSchema } from "./schema/report.ts";

export * from "./schema/_base.ts";
export * from "./schema/cell.ts";
export * from "./schema/comparison.ts";
export * from "./schema/machine.ts";
export * from "./schema/report.ts";

/** Version of the format written by this suite. */
export const SCHEMA_VERSION = 1;
/** Value of `kind` in every result file. */
export const RESULT_KIND = "attention-bench/run";

export const presetSchema = z.enum(["smoke", "small", "paper", "custom"]).meta({
  description: "Preset the configuration started from; custom where any value was changed",
});

export const taskSchema = z.strictObject({
  id: z.string().meta({ description: "Unique in the plan" }),
  title: z.string().meta({ description: "Words for people" }),
  weight: z.number().positive().meta({ description: "Relative duration, for the time left" }),
  kind: z.string().meta({ description: "Kind of work, e.g. train, time, audit" }),
  variants: z.array(z.string()).meta({ description: "Variants the task records" }),
  params: paramsSchema,
  group: z.string().optional().meta({
    description: "Tasks of one group share artifacts: they run in order and stay in one shard",
  }),
}).meta({ description: "One unit of the plan: resumed, sharded and reported as a whole" });

export const sourceSchema = z.strictObject({
  title: z.string().meta({ description: "Title of the paper or repository reproduced" }),
  url: z.string().meta({ description: "Where it is" }),
  year: z.int().meta({ description: "Year" }),
  note: z.string().default("").meta({ description: "Revision, deviations" }),
}).meta({ description: "What the benchmark reproduces" });

export const publishedSchema = z.strictObject({
  id: z.string().meta({ description: "Stable name" }),
  metric: z.string().meta({ description: "Metric name as in the cells" }),
  unit: z.string().meta({ description: "Unit" }),
  value: z.number().meta({ description: "The source's figure" }),
  variant: z.string().meta({ description: "Variant as in the cells" }),
  params: paramsSchema.default({}),
  split: z.string().nullable().default(null).meta({ description: "Split as in the cells" }),
  hardware: z.string().default("").meta({ description: "Hardware of the source" }),
  preset: presetSchema.default("paper").meta({
    description: "The only preset under which the two figures are comparable",
  }),
  note: z.string().default("").meta({ description: "Remarks" }),
}).meta({ description: "A figure of the source, to set beside ours" });

export const dataSchema = z.strictObject({
  id: z.string().meta({ description: "Name of the data set" }),
  title: z.string().default("").meta({ description: "Words for people" }),
  origin: z.string().meta({ description: "Package, address or generator it came from" }),
  revision: z.string().nullable().default(null).meta({ description: "Version or revision" }),
  licence: z.string().meta({ description: "Licence" }),
  sha256: sha256Schema.meta({ description: "SHA-256 of the bytes as used" }),
  bytes: z.int().nonnegative().nullable().default(null).meta({ description: "Size in bytes" }),
  split: z.string().default("all").meta({ description: "Split, e.g. train or test" }),
  records: z.int().nonnegative().nullable().default(null).meta({
    description: "Documents or rows",
  }),
  tokens: z.int().nonnegative().nullable().default(null).meta({ description: "Tokens" }),
  reads: z.int().nonnegative().default(1).meta({
    description: "How often it was read; a test split should be read once",
  }),
  standIn: z.boolean().default(false).meta({
    description: "True where it stands in for the source's data, which could not be used",
  }),
  note: z.string().default("").meta({ description: "Remarks" }),
}).meta({ description: "Provenance of one data set as used" });

export const sessionSchema = z.strictObject({
  session: z.int().positive().meta({ description: "1, 2, ... in order of time" }),
  startedAt: instantSchema,
  endedAt: instantSchema,
  tasks: z.int().nonnegative().meta({ description: "Tasks finished in this session" }),
  end: z.enum(["finished", "aborted", "device-lost", "killed"]).meta({
    description: "How the session ended",
  }),
}).meta({ description: "One process that worked on the run" });

export const taskOutcomeSchema = z.strictObject({
  task: z.string().meta({ description: "Task id" }),
  status: z.enum(["ok", "failed", "not-run"]).meta({ description: "What became of the task" }),
  session: z.int().positive().nullable().meta({ description: "Session that finished it" }),
  durationNs: z.int().nonnegative().nullable().meta({ description: "Wall time" }),
  reasons: z.array(reasonSchema).default([]).meta({ description: "Why, where not ok" }),
}).meta({ description: "Outcome of one task of the plan" });

export const driftSchema = z.strictObject({
  limit: z.number().positive().meta({ description: "Largest relative change tolerated" }),
  f32: z.number().nullable().meta({ description: "Relative change of the matmul rate" }),
  copy: z.number().nullable().meta({ description: "Relative change of copy bandwidth" }),
  exceeded: z.boolean().meta({ description: "Whether either change passed the limit" }),
}).meta({ description: "Change of the measured roof over the run" });

const resultShape = {
  schemaVersion: z.literal(SCHEMA_VERSION).meta({ description: "Version of this format" }),
  kind: z.literal(RESULT_KIND).meta({ description: "Marks the file as a run" }),
  runId: z.string().meta({ description: "Unique name of the run" }),
  suite: z.strictObject({
    name: z.string().meta({ description: "Suite" }),
    version: z.string().meta({ description: "Version of the suite" }),
  }).meta({ description: "The suite" }),
  benchmark: z.strictObject({
    name: z.string().meta({ description: "Name as on the command line" }),
    version: z.int().positive().meta({
      description: "Version of the method; results of different versions are not comparable",
    }),
    title: z.string().meta({ description: "Title" }),
    question: z.string().meta({ description: "The question it answers" }),
    source: sourceSchema,
  }).meta({ description: "The benchmark" }),
  preset: presetSchema,
  tier: z.enum(["attested", "self-reported", "browser"]).meta({
    description: "Who vouches for the run: CI attestation, the person, a visitor's browser",
  }),
  division: z.enum(["matched", "open"]).meta({
    description: "matched: budgets and search equal for every variant; open: anything goes",
  }),
  source: z.strictObject({
    commit: z.string().nullable().meta({ description: "Commit of the suite" }),
    commitDate: z.string().nullable().meta({ description: "Date of that commit" }),
    dirty: z.boolean().nullable().meta({ description: "Uncommitted changes; null if unknown" }),
    diffSha256: sha256Schema.nullable().meta({ description: "SHA-256 of those changes" }),
  }).meta({ description: "Revision of the code" }),
  startedAt: instantSchema,
  endedAt: instantSchema,
  complete: z.boolean().meta({ description: "Every task of the plan (or shard) was finished" }),
  shard: z.strictObject({
    index: z.int().positive().meta({ description: "1-based index of the part" }),
    count: z.int().positive().meta({ description: "Number of parts" }),
  }).nullable().meta({ description: "Part of the plan, where it was split" }),
  sessions: z.array(sessionSchema).meta({ description: "Processes that worked on it" }),
  system: systemSchema,
  environment: environmentSchema,
  calibration: z.array(calibrationSchema).meta({ description: "Measured roof, before and after" }),
  drift: driftSchema.nullable().meta({ description: "Change over the run; null if not measured" }),
  data: z.array(dataSchema).meta({ description: "Data sets as used" }),
  seeds: z.strictObject({
    base: z.int().nonnegative().meta({ description: "Seed that all others derive from" }),
    used: z.record(z.string(), z.int().nonnegative()).meta({
      description: "Seed of every stream, as used",
    }),
  }).meta({ description: "Seeds" }),
  config: z.record(z.string(), z.json()).meta({ description: "Configuration in full" }),
  configSha256: sha256Schema,
  plan: z.array(taskSchema).meta({ description: "The whole plan, also of other shards" }),
  tasks: z.array(taskOutcomeSchema).meta({ description: "What became of each task" }),
  reasons: z.array(reasonSchema).meta({
    description: "Problems of the run as a whole; empty where there were none",
  }),
  method: z.record(z.string(), z.number()).meta({
    description: "Constants of the sampling policy in force, by name",
  }),
  tuning: z.record(z.string(), z.string()).meta({
    description: "Kernel variants in force that are not the adapter class's default, by class",
  }),
  cells: z.array(cellSchema).meta({ description: "Result rows" }),
  comparisons: z.array(comparisonSchema).meta({ description: "Derived from the rows" }),
  audits: z.array(auditSchema).meta({ description: "Audits of the run" }),
  attachments: z.array(attachmentSchema).meta({ description: "Side files of the run" }),
  published: z.array(publishedSchema).meta({ description: "The source's own figures" }),
  report: reportSchema,
};

export const runResultSchema = z.strictObject({
  ...resultShape,
  contentSha256: sha256Schema.meta({
    description: "SHA-256 of the canonical JSON of everything else in the file",
  }),
}).meta({ title: "Attention Bench run", description: "One run of one benchmark on one machine" });

export type Preset = z.infer<typeof presetSchema>;
export type Task = z.infer<typeof taskSchema>;
export type TaskOutcome = z.infer<typeof taskOutcomeSchema>;
export type SourceInput = z.input<typeof sourceSchema>;
/** A published figure as a benchmark declares it. */
export type PublishedFigure = z.input<typeof publishedSchema>;
/** Data provenance as a benchmark hands it in. */
export type DataInput = z.input<typeof dataSchema>;
export type DataRecord = z.infer<typeof dataSchema>;
export type Session = z.infer<typeof sessionSchema>;
export type Drift = z.infer<typeof driftSchema>;
/** A run as read from a file. */
export type RunResult = z.infer<typeof runResultSchema>;
/** A run before its report and digest are added: what `Benchmark.report` is given. */
export type RunBody = Omit<RunResult, "report" | "contentSha256">;
