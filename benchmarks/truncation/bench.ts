import type { Benchmark, Task, TaskContext } from "../../harness/contract.ts";
import { runAuditTask } from "./audits.ts";
import { compareTruncation } from "./compare.ts";
import {
  policiesOf,
  type Policy,
  type TruncationConfig,
  truncationConfigSchema,
  type Unit,
  unitName,
  unitsOf,
} from "./config.ts";
import { runCostTask } from "./cost.ts";
import { runGenerationTask } from "./generation.ts";
import { memoryEstimate } from "./memory_estimate.ts";
import { presets } from "./presets.ts";
import { published } from "./published.ts";
import { reportTruncation } from "./report.ts";
import { runPrepareTask, runTrainTask } from "./run_unit.ts";
import { runSourceTask, SOURCE_GROUPS } from "./source_protocol.ts";

/** Shares of the whole run, roughly; only the time left depends on them. */
const WEIGHTS = { audit: 2, prepare: 14, train: 4, source: 14, generate: 10, cost: 6 };

/** The truncation benchmark: which tokens of a long text to keep. */
export const benchmark: Benchmark<TruncationConfig> = {
  name: "truncation",
  version: 1,
  title: "Attention-based truncation: keep the tokens the model attends to",
  question:
    "Does dropping the least attended tokens keep more accuracy than cutting the right end, at training and at test time?",
  source: {
    title: "attention-based-truncation (repository JoeyNiestroy/attention-based-truncation)",
    url: "https://github.com/JoeyNiestroy/attention-based-truncation",
    year: 2023,
  },
  configSchema: truncationConfigSchema,
  presets,
  tasks: planTasks,
  memoryEstimate,
  run: runTask,
  compare: compareTruncation,
  report: reportTruncation,
  published,
};

function planTasks(config: TruncationConfig): Task[] {
  const plan: Task[] = [{
    ...{ id: "audit/bert", title: "Audits of the encoder and the dictionary", kind: "audit" },
    ...{ weight: WEIGHTS.audit, variants: ["bert"], params: {} },
  }];
  const add = (
    kind: keyof typeof WEIGHTS,
    unit: Unit,
    variants: string[],
    title: string,
    end = "",
  ) =>
    plan.push({
      id: `${kind}/${unitName(unit)}${end}`,
      title: `${title}, ${unit.task.name}, fold ${unit.fold}, seed ${unit.seed}`,
      weight: WEIGHTS[kind],
      kind,
      variants,
      params: { task: unit.task.name, fold: unit.fold, seed: unit.seed },
      group: unitName(unit),
    });
  for (const [i, task] of config.tasks.entries()) {
    for (const unit of unitsOf(task)) {
      add("prepare", unit, ["none"], "Pretrain, control and scores");
      for (const policy of policiesOf(unit)) {
        if (policy !== "none") add("train", unit, [policy], `Train ${policy}`, `/${policy}`);
      }
      if (config.sourceProtocol && unit.fold === 0) {
        add("source", unit, [...SOURCE_GROUPS], "The source's protocol");
      }
      const seeds = config.generation?.seeds ?? 0;
      if (i === 0 && unit.fold === 0 && unit.seed < seeds) {
        add("generate", unit, policiesOf(unit).filter((p) => p !== "none"), "Continuations");
      }
    }
  }
  if (config.cost) {
    plan.push({
      ...{ id: "cost/all", title: "Time and memory", kind: "cost", weight: WEIGHTS.cost },
      ...{ variants: ["forward", "forward+backward"], params: {} },
    });
  }
  return plan;
}

async function runTask(context: TaskContext, task: Task, config: TruncationConfig): Promise<void> {
  if (task.kind === "audit") return await runAuditTask(context);
  if (task.kind === "cost") return await runCostTask(context, config);
  const { task: name, fold, seed } = task.params as { task: string; fold: number; seed: number };
  const unit: Unit = { task: config.tasks.find((t) => t.name === name)!, fold, seed };
  switch (task.kind) {
    case "prepare":
      return await runPrepareTask(context, config, unit);
    case "train":
      return await runTrainTask(context, config, unit, task.variants[0] as Policy);
    case "source":
      return await runSourceTask(context, config, unit);
    case "generate":
      return await runGenerationTask(context, config, unit);
    default:
      throw new TypeError(
        `Cannot run task ${task.id}: its kind is ${task.kind}, expected one of ${
          Object.keys(WEIGHTS).join(", ")
        }`,
      );
  }
}
