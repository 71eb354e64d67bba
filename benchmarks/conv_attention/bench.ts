import type { Benchmark, Task, TaskContext } from "../../harness/contract.ts";
import { AUDITED, runAuditTask } from "./audits.ts";
import { compareConvAttention } from "./compare.ts";
import { type ConvAttentionBenchConfig, convAttentionConfigSchema } from "./config.ts";
import { memoryEstimate } from "./memory_estimate.ts";
import { presets } from "./presets.ts";
import { published } from "./published.ts";
import { reportConvAttention } from "./report.ts";
import { runSpeedTask } from "./speed.ts";
import { runTrainingTask } from "./training.ts";
import type { Variant } from "./variants.ts";

/** Shares of the whole run, roughly; only the time left depends on them. */
const WEIGHTS = { audit: 2, train: 10, speed: 8 };

/** The conv_attention benchmark: two variations on GPT-2, and the leak that flattered one of them. */
export const benchmark: Benchmark<ConvAttentionBenchConfig> = {
  name: "conv_attention",
  version: 1,
  title: "Convolution Attention and Progressive Diverging against GPT-2",
  question:
    "How much of Convolution Attention's published advantage over GPT-2 is target leakage, and what remains when the leak is closed?",
  source: {
    title: "A public collection of small language-model variations on the build-nanogpt tutorial",
    url: "https://github.com/karpathy/build-nanogpt",
    year: 2024,
    note: "The address is that of the tutorial the collection builds on.",
  },
  configSchema: convAttentionConfigSchema,
  presets,
  tasks: planTasks,
  memoryEstimate,
  run: runTask,
  compare: compareConvAttention,
  report: reportConvAttention,
  published,
};

function planTasks(config: ConvAttentionBenchConfig): Task[] {
  const { variants, seeds, speed } = config;
  const task = (
    kind: keyof typeof WEIGHTS,
    id: string,
    title: string,
    own: readonly string[],
    params: Task["params"] = {},
  ): Task => ({
    id: `${kind}/${id}`,
    title,
    weight: WEIGHTS[kind],
    kind,
    variants: [...own],
    params,
  });
  return [
    ...AUDITED.filter((v) => variants.includes(v)).map((v) =>
      task("audit", v, `Audits of ${v}`, [v])
    ),
    ...Array.from(
      { length: seeds },
      (_, seed) =>
        variants.map((v) =>
          task("train", `${v}/${seed}`, `Train ${v}, seed ${seed}`, [v], { seed })
        ),
    ).flat(),
    ...(speed ? [task("speed", "all", "Time and memory of all models", variants)] : []),
  ];
}

async function runTask(
  context: TaskContext,
  task: Task,
  config: ConvAttentionBenchConfig,
): Promise<void> {
  const [variant] = task.variants as Variant[];
  switch (task.kind) {
    case "audit":
      return await runAuditTask(context, config, variant);
    case "train":
      return await runTrainingTask(context, config, variant, Number(task.params.seed));
    case "speed":
      return await runSpeedTask(context, config);
    default:
      throw new TypeError(
        `Cannot run task ${task.id}: its kind is ${task.kind}, expected one of ${
          Object.keys(WEIGHTS).join(", ")
        }`,
      );
  }
}
