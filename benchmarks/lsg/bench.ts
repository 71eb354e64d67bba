import type { SparsityType } from "../../attention/mod.ts";
import type { Benchmark, Task, TaskContext } from "../../harness/contract.ts";
import { AUDITED_TYPES } from "./audit_cases.ts";
import { auditSelection } from "./audit_selections.ts";
import { auditVariant } from "./audit_variants.ts";
import { compareLsg } from "./compare.ts";
import { type LsgConfig, lsgConfigSchema, variantsOf } from "./config.ts";
import { extrapolationUnit, runExtrapolationTask, STAGES } from "./extrapolation.ts";
import { memoryEstimate } from "./memory_estimate.ts";
import { presets } from "./presets.ts";
import { published } from "./published.ts";
import { runPrepareTask, runVariantTask } from "./quality.ts";
import { reportLsg } from "./report.ts";
import { runScalingTask, type ScalingPart } from "./scaling.ts";
import { runStepTask } from "./step.ts";
import { type Unit, unitName } from "./unit.ts";

/** Shares of the whole run, roughly; only the time left depends on them. */
const WEIGHTS = { audit: 1, step: 12, scaling: 4, prepare: 6, quality: 2, extrapolation: 12 };

/** The lsg benchmark: sparse encoders on long inputs. */
export const benchmark: Benchmark<LsgConfig> = {
  name: "lsg",
  version: 1,
  title: "Local-sparse-global attention: memory, step time and quality on long inputs",
  question:
    "Does local-sparse-global attention read long documents in linear time and memory without losing what full attention finds?",
  source: {
    title: "LSG attention (Condevaux and Harispe 2022, arXiv:2210.15497) and its converter",
    url: "https://github.com/ccdv-ai/convert_checkpoint_to_lsg",
    year: 2022,
    note: "version 0.1.9",
  },
  configSchema: lsgConfigSchema,
  presets,
  tasks: planTasks,
  memoryEstimate,
  run: runTask,
  compare: compareLsg,
  report: reportLsg,
  published,
};

function planTasks(config: LsgConfig): Task[] {
  const plan: Task[] = [];
  const add = (
    kind: keyof typeof WEIGHTS,
    id: string,
    task: Omit<Task, "id" | "kind" | "weight">,
  ) => plan.push({ id: `${kind}/${id}`, kind, weight: WEIGHTS[kind], ...task });
  const forms = Map.groupBy(variantsOf(config), (name) => name.replace(/-naive$/, ""));
  for (const [name, variants] of forms) {
    add("audit", name, { title: `Parity of ${name}`, variants, params: { audited: name } });
  }
  for (const type of AUDITED_TYPES) {
    const variants = [`lsg ${type}`];
    add("audit", `selection-${type}`, {
      ...{ title: `Audits of the selection ${type}`, variants, params: { selection: type } },
    });
  }
  const { step, scaling, quality, extrapolation } = config;
  for (const dropout of step ? [false, true] : []) {
    add("step", dropout ? "attention-dropout" : "no-dropout", {
      title: `Training step, ${dropout ? "with" : "without"} attention dropout`,
      variants: step!.variants,
      params: { attentionDropout: dropout },
    });
  }
  for (const part of scaling ? ["attention", "encoder"] as const : []) {
    for (const T of scaling![part] ? scaling!.lengths : []) {
      const { variants } = scaling![part]!;
      add("scaling", `${part}/${T}`, { title: `${part} at T ${T}`, variants, params: { part, T } });
    }
  }
  for (const unit of unitsOf(config)) {
    const { task: { name: task }, seed } = unit;
    const group = unitName(unit);
    add("prepare", group, {
      ...{ title: `Source model, ${task}, seed ${seed}`, variants: ["full"] },
      ...{ params: { task, seed }, group },
    });
    for (const name of quality!.variants) {
      add("quality", `${group}/${name}`, {
        ...{ title: `${name} on ${task}, seed ${seed}`, variants: [name] },
        ...{ params: { task, seed, variant: name }, group },
      });
    }
  }
  for (let seed = 0; seed < (extrapolation?.seeds ?? 0); seed++) {
    add("extrapolation", `${seed}`, {
      title: `Longer than trained, seed ${seed}`,
      variants: ["full", extrapolation!.variant],
      params: { seed, stages: STAGES.length },
      group: unitName(extrapolationUnit(config, seed)),
    });
  }
  return plan;
}

function unitsOf({ quality }: LsgConfig): Unit[] {
  return (quality?.tasks ?? []).flatMap((task) =>
    Array.from({ length: quality!.seeds }, (_, seed) => ({ task, seed }))
  );
}

async function runTask(context: TaskContext, task: Task, config: LsgConfig): Promise<void> {
  const { params, variants } = task;
  const unit = () =>
    unitsOf(config).find(({ task, seed }) => task.name === params.task && seed === params.seed)!;
  switch (task.kind) {
    case "audit":
      return params.selection
        ? await auditSelection(context, params.selection as SparsityType)
        : await auditVariant(context, String(params.audited), variants);
    case "step":
      return await runStepTask(context, config, Boolean(params.attentionDropout));
    case "scaling":
      return await runScalingTask(context, config, params.part as ScalingPart, Number(params.T));
    case "prepare":
      return await runPrepareTask(context, config, unit());
    case "quality":
      return await runVariantTask(context, config, unit(), variants[0]);
    case "extrapolation":
      return await runExtrapolationTask(context, config, Number(params.seed));
    default:
      throw new TypeError(
        `Cannot run task ${task.id}: its kind is ${task.kind}, expected one of ${
          Object.keys(WEIGHTS).join(", ")
        }`,
      );
  }
}
