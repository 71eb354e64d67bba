/** The schema of where a run happened: system, software environment, calibration. */
import { z } from "zod";
import { clockSchema, instantSchema, sha256Schema } from "./_base.ts";

export const systemSchema = z.strictObject({
  machine: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/).meta({
    description: "Name of the machine's folder under results/",
  }),
  systemName: z.string().meta({ description: "Words for people, e.g. GPU and CPU model" }),
  operatingSystem: z.string().meta({ description: "Operating system and version" }),
  architecture: z.string().meta({ description: "Host architecture, e.g. x86_64" }),
  hostProcessorModelName: z.string().nullable().meta({ description: "CPU model" }),
  hostProcessorCores: z.int().positive().nullable().meta({ description: "Logical CPU cores" }),
  hostMemoryCapacityBytes: z.int().nonnegative().nullable().meta({ description: "Host memory" }),
  accelerator: z.strictObject({
    class: z.enum(["hardware", "software"]).meta({
      description: "Hardware and software adapters are never ranked together",
    }),
    vendor: z.string().meta({ description: "Adapter vendor" }),
    architecture: z.string().meta({ description: "Adapter architecture" }),
    device: z.string().meta({ description: "Adapter device" }),
    description: z.string().meta({ description: "Adapter description" }),
    isFallbackAdapter: z.boolean().meta({ description: "As the runtime reports it" }),
    hasTimestamps: z.boolean().meta({ description: "Whether timestamp-query is in force" }),
    features: z.array(z.string()).meta({ description: "Features of the device, sorted" }),
    limits: z.record(z.string(), z.number()).meta({ description: "Limits of the device" }),
    memoryCapacityBytes: z.int().nonnegative().nullable().meta({ description: "Device memory" }),
    driver: z.string().nullable().meta({ description: "Driver and version, where known" }),
    backend: z.string().nullable().meta({ description: "Native interface, e.g. vulkan" }),
  }).meta({ description: "The GPU (or its software stand-in)" }),
  swNotes: z.string().default("").meta({ description: "Notes by hand on software" }),
  hwNotes: z.string().default("").meta({ description: "Notes by hand on hardware" }),
}).meta({ description: "The machine" });

export const environmentSchema = z.strictObject({
  runtime: z.string().meta({ description: "deno or browser" }),
  runtimeVersion: z.string().meta({ description: "Version of the runtime" }),
  v8: z.string().nullable().meta({ description: "Version of V8" }),
  typescript: z.string().nullable().default(null).meta({ description: "Version of TypeScript" }),
  userAgent: z.string().nullable().default(null).meta({ description: "User agent (browser)" }),
  lockSha256: sha256Schema.nullable().meta({ description: "SHA-256 of the lock file" }),
  flags: z.array(z.string()).default([]).meta({ description: "Runtime flags in force" }),
  variables: z.record(z.string(), z.string()).default({}).meta({
    description: "Environment variables that change a run, e.g. the chosen adapter",
  }),
  continuousIntegration: z.boolean().default(false).meta({ description: "Ran in CI" }),
}).meta({ description: "The software environment" });

export const calibrationSchema = z.strictObject({
  at: z.enum(["before", "after"]).meta({ description: "Before or after the tasks" }),
  session: z.int().positive().default(1).meta({ description: "Process that measured it" }),
  takenAt: instantSchema,
  clock: clockSchema,
  f32FlopsPerSecond: z.array(z.number().positive()).meta({
    description: "Samples of the best matmul's rate, in order",
  }),
  matmulSize: z.int().nonnegative().meta({ description: "Side of the square matmul" }),
  fmaFlopsPerSecond: z.array(z.number().positive()).default([]).meta({
    description: "Samples of a register-only multiply-add loop, where measured",
  }),
  copyBytesPerSecond: z.array(z.number().positive()).meta({
    description: "Samples of copy bandwidth: bytes read plus bytes written per second",
  }),
  copyBytes: z.int().nonnegative().meta({ description: "Bytes read by one copy" }),
  launchNs: z.array(z.number().nonnegative()).meta({
    description: "Samples of the cost of one more (almost) empty dispatch in a submission",
  }),
  submitNs: z.array(z.number().nonnegative()).meta({
    description: "Samples of the wall time of one submission until the host knows it is done",
  }),
  timestampQuantumNs: z.number().positive().nullable().meta({
    description: "Smallest step seen between timestamps; null without timestamps",
  }),
}).meta({ description: "Measured roof of the machine in this session" });

export type System = z.infer<typeof systemSchema>;
export type Environment = z.infer<typeof environmentSchema>;
export type Calibration = z.infer<typeof calibrationSchema>;
export type SystemInput = z.input<typeof systemSchema>;
export type EnvironmentInput = z.input<typeof environmentSchema>;
