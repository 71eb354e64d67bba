import type { Benchmark, Task, TaskContext } from "../../harness/contract.ts";
import { transformerTuningSizes } from "../../models/mod.ts";
import { runAuditTask } from "./audits.ts";
import { compareLeap } from "./compare.ts";
import { type LeapBenchConfig, leapConfigSchema, type Variant } from "./config.ts";
import { runDecodingTask } from "./decoding.ts";
import { runExplainTask } from "./explain.ts";
import { memoryEstimate } from "./memory_estimate.ts";
import { runNumericsTask } from "./numerics.ts";
import { presets } from "./presets.ts";
import { published } from "./published.ts";
import { reportLeap } from "./report.ts";
import { runScalingTask, scalingVariants } from "./scaling.ts";
import { runSpeedTask, speedVariants } from "./speed.ts";
import { runTrainingTask, weightsArtifact } from "./training.ts";

/** Shares of the whole run, roughly; only the time left depends on them. */
const WEIGHTS = { audit: 2, numerics: 2, train: 20, speed: 4, decode: 6, explain: 6, scaling: 4 };

/** The leap benchmark: LEAP in both revisions against GPT-2 at equal parameters and data. */
export const benchmark: Benchmark<LeapBenchConfig> = {
  name: "leap",
  version: 1,
  title: "LEAP: linear attention by focus-weighted cumulative sums",
  question:
    "Does LEAP match GPT-2's perplexity at equal parameters, and is it faster than a good attention kernel?",
  source: {
    title: "LEAP: Linear Explainable Attention in Parallel (repository mtanghu/LEAP)",
    url: "https://github.com/mtanghu/LEAP",
    year: 2022,
  },
  configSchema: leapConfigSchema,
  presets,
  tasks: planTasks,
  memoryEstimate,
  tuning: ({ model, data, training }) =>
    transformerTuningSizes(
      { ...model, vocabSize: data.vocabSize },
      training.batchSize,
      training.blockLength,
    ),
  checkpoints: ({ variants }) =>
    variants.map((variant) => ({ variant, artifact: weightsArtifact(variant, 0) })),
  run: runTask,
  compare: compareLeap,
  report: reportLeap,
  published,
};

function planTasks(config: LeapBenchConfig): Task[] {
  const task = (
    kind: keyof typeof WEIGHTS,
    id: string,
    title: string,
    variants: string[],
    params: Task["params"] = {},
  ): Task => ({
    id: `${kind}/${id}`,
    title,
    weight: WEIGHTS[kind],
    kind,
    variants,
    params,
  });
  const { variants, speed, decode, numerics, explain, scaling } = config;
  const leaps = variants.filter((v) => v !== "gpt2");
  return [
    ...variants.map((v) => task("audit", v, `Audits of ${v}`, [v])),
    ...(numerics?.lengths ?? []).map((T) =>
      task("numerics", `${T}`, `Numerics at T ${T}`, leaps, { T })
    ),
    ...Array.from(
      { length: config.seeds },
      (_, seed) =>
        variants.map((v) =>
          task("train", `${v}/${seed}`, `Train ${v}, seed ${seed}`, [v], { seed })
        ),
    ).flat(),
    ...(speed?.lengths ?? []).map((T) =>
      task("speed", `${T}`, `Step time at T ${T}`, speedVariants(config), { T })
    ),
    ...(decode ? [task("decode", "all", "Decoding speed", variants)] : []),
    ...(explain ? leaps.map((v) => task("explain", v, `Explainability of ${v}`, [v])) : []),
    ...(scaling?.sizes ?? []).flatMap((size) =>
      scalingVariants(config).map((v) =>
        task(
          "scaling",
          `${v}/${size.width}x${size.layers}`,
          `Scaling ${v} ${size.width}x${size.layers}`,
          [v],
          size,
        )
      )
    ),
  ];
}

async function runTask(context: TaskContext, task: Task, config: LeapBenchConfig): Promise<void> {
  const [variant] = task.variants as Variant[];
  const { T, seed, width, layers } = task.params as Record<string, number>;
  switch (task.kind) {
    case "audit":
      return await runAuditTask(context, variant);
    case "numerics":
      return await runNumericsTask(context, config, T);
    case "train":
      return await runTrainingTask(context, config, variant, seed);
    case "speed":
      return await runSpeedTask(context, config, T);
    case "decode":
      return await runDecodingTask(context, config);
    case "explain":
      return await runExplainTask(context, config, variant as Exclude<Variant, "gpt2">);
    case "scaling":
      return await runScalingTask(context, config, variant, { width, layers });
    default:
      throw new TypeError(
        `Cannot run task ${task.id}: its kind is ${task.kind}, expected one of ${
          Object.keys(WEIGHTS).join(", ")
        }`,
      );
  }
}
