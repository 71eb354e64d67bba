import { type Tensor, uniformAt } from "../../engine/mod.ts";
import type { CellInput, MeasuredCase, TaskContext, TimedCase } from "../../harness/contract.ts";
import { rooflineFloorNs } from "../../harness/roofline.ts";
import { classifyError } from "../../harness/runner/classify_error.ts";
import { median } from "../../harness/statistics/mod.ts";
import {
  type LanguageModel,
  type MergedProgressive,
  ProgressiveDiverging,
  STAGES,
} from "../../models/mod.ts";
import { AdamW } from "../../train/mod.ts";
import { peakByTag } from "../leap/training.ts";
import type { ConvAttentionBenchConfig } from "./config.ts";
import { buildModel, lengthOf } from "./models.ts";
import { planOf, type Variant } from "./variants.ts";

/** Vocabulary of the timed models under a tokenizer that is not GPT-2's. */
const VOCABULARY = 512;
const GPT2_VOCABULARY = 50257;

/** One timed model. */
interface Contestant {
  readonly variant: Variant;
  readonly stage: number;
  readonly name: string;
  readonly model: LanguageModel;
  readonly ids: Tensor;
  readonly targets: Tensor;
  readonly one: Tensor;
  /** The model with its LoRA branches merged, where it has any. */
  readonly merged: MergedProgressive | undefined;
  readonly memory: { peak: number; byTag: Record<string, number> };
}

/** Times a training batch (forward and backward of one micro-batch; the memory includes an update) and one inference of every variant, interleaved. */
export async function runSpeedTask(
  context: TaskContext,
  config: ConvAttentionBenchConfig,
): Promise<void> {
  const contestants: Contestant[] = [];
  try {
    for (const variant of config.variants) {
      if (planOf(variant).equal === "compute") continue;
      const stages = planOf(variant).family === "progressive" ? STAGES : [3] as const;
      for (const stage of stages) {
        contestants.push(await prepare(context, config, variant, stage));
      }
    }
    const cases = contestants.flatMap((one) => casesOf(context, config, one));
    const measured = await context.measure(cases, {
      maxTimeMs: config.speed!.maxTimeMs,
      minSamples: config.speed!.minSamples,
    });
    for (const one of contestants) record(context, config, one, measured);
  } finally {
    for (const { model, merged, ids, targets, one } of contestants) {
      for (const part of [merged, model, ids, targets, one]) part?.dispose();
    }
  }
}

async function prepare(
  context: TaskContext,
  config: ConvAttentionBenchConfig,
  variant: Variant,
  stage: 1 | 2 | 3,
): Promise<Contestant> {
  const { gpu } = context;
  const [batch, length] = [config.training.batchSize, lengthOf(config, variant)];
  const vocabSize = config.data.tokenizer === "gpt2" ? GPT2_VOCABULARY : VOCABULARY;
  const draw = (stream: number, shape: number[]) =>
    gpu.tensor(
      Int32Array.from(
        { length: shape[0] * shape[1] },
        (_, i) => Math.floor(uniformAt(context.seed("tokens"), stream, i) * vocabSize),
      ),
      shape,
    ).keep();
  const ids = draw(0, [batch, length]);
  const targets = draw(1, [batch, length]);
  const one = draw(2, [1, length]);
  gpu.memory.resetPeak();
  const liveBefore = gpu.memory.liveBytes;
  const model = buildModel(gpu, config, variant, vocabSize, context.seed("speed"), { stage });
  const optimizer = new AdamW(model.parameters, { clipNorm: 1 });
  trainBatch(model, optimizer, ids, targets);
  await gpu.idle();
  const memory = { peak: gpu.memory.peakBytes - liveBefore, byTag: peakByTag(context) };
  optimizer.dispose();
  const progressive = planOf(variant).family === "progressive";
  const name = progressive ? `${variant} stage ${stage}` : variant;
  const merged = planOf(variant).lora && stage > 1 && model instanceof ProgressiveDiverging
    ? model.merge()
    : undefined;
  return {
    ...{ variant, stage: progressive ? stage : 0, name, model, merged, ids, targets, one },
    memory,
  };
}

function trainBatch(
  model: LanguageModel,
  optimizer: AdamW | undefined,
  ids: Tensor,
  targets: Tensor,
): void {
  model.gpu.scope(() => model.gpu.withTape((tape) => tape.backward(model.loss(ids, targets))));
  if (optimizer) optimizer.step(1e-4);
  else model.parameters.clearGradients();
}

function casesOf(
  context: TaskContext,
  config: ConvAttentionBenchConfig,
  { name, model, merged, ids, targets, one }: Contestant,
): TimedCase[] {
  const floor = (flops: number) =>
    context.calibration ? rooflineFloorNs({ flops, bytes: null }, context.calibration) : undefined;
  const batch = model.flops(config.training.batchSize, ids.dim(1));
  const single = model.flops(1, ids.dim(1));
  const cases: TimedCase[] = [
    {
      name: `${name} / training batch`,
      phase: "training batch",
      run: () => trainBatch(model, undefined, ids, targets),
      floorNs: floor(batch.forward + batch.backward),
    },
    {
      name: `${name} / inference`,
      phase: "inference",
      run: () => void model.logits(one),
      floorNs: floor(single.forward),
    },
  ];
  if (merged) {
    cases.push({
      name: `${name} / inference, merged`,
      phase: "inference, merged",
      run: () => void merged.logits(one),
    });
  }
  return cases;
}

function record(
  context: TaskContext,
  config: ConvAttentionBenchConfig,
  { variant, stage, name, model, memory }: Contestant,
  measured: readonly MeasuredCase[],
): void {
  const own = measured.filter((m) => m.name.startsWith(`${name} / `));
  const failure = own.find((m) => m.error)?.error;
  const { batchSize } = config.training;
  const T = lengthOf(config, variant);
  const milliseconds = (phase: string) => {
    const timing = own.find((m) => m.name === `${name} / ${phase}`)?.timing;
    return timing && timing.samplesNs.length > 0
      ? median(timing.samplesNs) / timing.number / 1e6
      : null;
  };
  const batchMs = milliseconds("training batch");
  const { forward, backward } = model.flops(batchSize, T);
  const metrics: CellInput["metrics"] = [
    { metric: "training-batch-time", unit: "ms", value: batchMs, better: "lower" },
    {
      metric: "training-speed",
      unit: "tokens/s",
      value: batchMs === null ? null : batchSize * T / batchMs * 1000,
      better: "higher",
    },
    { metric: "inference-time", unit: "ms", value: milliseconds("inference"), better: "lower" },
  ];
  context.record({
    variant,
    params: { T, batchSize, ...(stage > 0 ? { stage } : {}) },
    status: failure ? "failed" : "ok",
    reasons: failure ? [classifyError(failure)] : [],
    implementation: { form: "fused", label: "dense", parameters: model.parameters.count },
    timings: own.flatMap((m) => m.timing ?? []),
    memoryBytes: memory,
    cost: { flops: forward + backward, bytes: null, phase: "training batch" },
    metrics,
  });
}
