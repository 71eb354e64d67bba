import { auditCausality } from "../../harness/audits/mod.ts";
import type { Audit, CellInput, TaskContext } from "../../harness/contract.ts";
import { sha256Hex } from "../../harness/canonical_json.ts";
import type { LanguageModel } from "../../models/mod.ts";
import {
  describeModel,
  evaluate,
  type Evaluation,
  makeSchedule,
  saveCheckpoint,
  type TrainingHistory,
  trainLanguageModel,
} from "../../train/mod.ts";
import type { TrainingConfig } from "../language_modelling/config.ts";
import { type LanguageData, openLanguageData } from "../language_modelling/open_data.ts";
import type { LeapBenchConfig, Variant } from "./config.ts";
import { buildModel } from "./models.ts";

/** Name of the artifact with the weights of a finished training run. */
export function weightsArtifact(variant: string, seed: number): string {
  return `${variant}-${seed}.safetensors`;
}

/** Trains one variant with one seed, tests it and keeps its weights. */
export async function runTrainingTask(
  context: TaskContext,
  config: LeapBenchConfig,
  variant: Variant,
  seed: number,
): Promise<void> {
  const { gpu } = context;
  const { training } = config;
  const data = await openLanguageData(context, config.data, training.blockLength);
  gpu.memory.resetPeak();
  const liveBefore = gpu.memory.liveBytes;
  const sizes = {
    ...config.model,
    vocabSize: data.tokenizer.vocabSize,
    positions: training.blockLength,
  };
  const model = buildModel(gpu, variant, sizes, context.seed(`init/${seed}`));
  try {
    const name = `${variant}-${seed}`;
    const history = await trainConfigured(context, model, data, training, {
      name,
      dataSeed: context.seed(`data/${seed}`),
    });
    const memory = { peak: gpu.memory.peakBytes - liveBefore, byTag: peakByTag(context) };
    const weights = await saveCheckpoint(
      model.parameters,
      undefined,
      describeModel(model, data.tokenizer),
    );
    await context.artifacts.write(weightsArtifact(variant, seed), weights);
    if (seed === 0) {
      context.audit(await auditTrainedCausality(context, model, training.blockLength, variant));
    }
    const test = await testModel(context, model, data, training, "test");
    const other = config.data.outOfDomain
      ? await testModel(context, model, data, training, "out_of_domain")
      : undefined;
    context.record({
      variant,
      params: { seed, T: training.blockLength },
      implementation: {
        form: "fused",
        label: variant === "gpt2" ? "dense" : "linear",
        parameters: model.parameters.trainableCount,
        weightsSha256: await sha256Hex(weights),
      },
      memoryBytes: memory,
      metrics: [
        ...qualityMetrics(history.bestEvaluation, seed, "validation"),
        ...qualityMetrics(test, seed, "test"),
        ...(other ? qualityMetrics(other, seed, "out_of_domain") : []),
        { metric: "training-time", unit: "s", value: history.seconds, better: "lower", seed },
        { metric: "best-step", unit: "steps", value: history.best.step, seed },
      ],
      curves: trainingCurves(history, seed),
      notes: data.tokenizer.lossless
        ? []
        : ["The tokenizer is not lossless, so bits per byte flatter every variant."],
    });
    await context.artifacts.remove(`${name}.checkpoint`);
  } finally {
    model.dispose();
  }
}

/** Causality of the trained weights at full length; the audit task tries every position of a fresh, small model. */
async function auditTrainedCausality(
  context: TaskContext,
  model: LanguageModel,
  length: number,
  variant: string,
): Promise<Audit> {
  const { gpu } = context;
  const ids = gpu.tensor(new Int32Array(length), [1, length]).keep();
  try {
    return await auditCausality({
      subject: `${variant}, trained`,
      batch: 1,
      length,
      vocabulary: model.vocabSize,
      positions: [1, 2, 3, 5].map((part) => Math.floor(length * part / 6)).concat(length - 1),
      seed: context.seed("causality"),
      forward: (changed) => {
        gpu.upload(ids, changed);
        return gpu.scope(() => gpu.readFloats(model.logits(ids)));
      },
    });
  } finally {
    ids.dispose();
  }
}

/** Trains a model as configured, resuming from its checkpoint artifact. */
export async function trainConfigured(
  context: TaskContext,
  model: LanguageModel,
  data: LanguageData,
  training: TrainingConfig,
  run: { name: string; dataSeed: number; steps?: number },
): Promise<TrainingHistory> {
  const train = await data.split("train");
  const stepsPerEpoch = Math.floor(
    train.stepsPerEpoch(training.batchSize, "drop") / training.accumulate,
  );
  const steps = run.steps ?? training.steps ??
    Math.max(1, Math.round(training.epochs * stepsPerEpoch));
  const { learningRate, minLearningRateFraction, warmupFraction, schedule } = training;
  const artifact = `${run.name}.checkpoint`;
  return await trainLanguageModel({
    model,
    train,
    validation: await data.split("validation"),
    batchSize: training.batchSize,
    accumulate: training.accumulate,
    steps,
    schedule: makeSchedule(schedule, {
      learningRate,
      steps,
      warmupSteps: Math.round(warmupFraction * steps),
      minLearningRate: learningRate * minLearningRateFraction,
    }),
    optimizer: {
      beta1: training.beta1,
      beta2: training.beta2,
      weightDecay: training.weightDecay,
      clipNorm: training.clipNorm,
    },
    seed: run.dataSeed,
    evaluations: Math.min(training.evaluations, steps),
    validationBlocks: training.validationBlocks,
    checkpoint: {
      load: () => context.artifacts.read(artifact),
      save: (bytes) => context.artifacts.write(artifact, bytes),
    },
    onStep: (step, loss) =>
      context.progress(step / steps, `${run.name} step ${step}/${steps} loss ${loss.toFixed(3)}`),
    signal: context.signal,
  });
}

/** Quality on a split that training never saw. */
export async function testModel(
  context: TaskContext,
  model: LanguageModel,
  data: LanguageData,
  training: TrainingConfig,
  split: "test" | "out_of_domain",
): Promise<Evaluation> {
  return await evaluate(model, await data.split(split), {
    batchSize: training.batchSize,
    blocks: training.testBlocks,
    signal: context.signal,
  });
}

/** Loss, perplexity and bits per byte as metrics of a row. */
export function qualityMetrics(
  evaluation: Evaluation,
  seed: number,
  split: string,
): NonNullable<CellInput["metrics"]> {
  const common = { better: "lower" as const, seed, split, n: evaluation.tokens };
  return [
    { metric: "loss", unit: "nats/token", value: evaluation.loss, ...common },
    { metric: "perplexity", unit: "1", value: evaluation.perplexity, ...common },
    { metric: "bits-per-byte", unit: "bits/byte", value: evaluation.bitsPerByte, ...common },
  ];
}

/** Peak bytes of each memory class since the last reset. */
export function peakByTag(context: TaskContext): Record<string, number> {
  return Object.fromEntries([...context.gpu.memory.byTag].map(([tag, bytes]) => [tag, bytes.peak]));
}

function trainingCurves(history: TrainingHistory, seed: number): NonNullable<CellInput["curves"]> {
  const curve = (name: string, yLabel: string, points: [number, number][]) => ({
    name,
    xLabel: "step",
    yLabel,
    seed,
    points,
  });
  return [
    curve("training loss", "loss (nats/token)", history.losses),
    curve("validation loss", "loss (nats/token)", history.validations),
    curve("gradient norm", "norm before clipping", history.gradientNorms),
  ];
}
