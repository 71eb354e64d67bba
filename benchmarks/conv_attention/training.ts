import { sha256Hex } from "../../harness/canonical_json.ts";
import type { CellInput, TaskContext } from "../../harness/contract.ts";
import {
  growProgressive,
  inheritedParameter,
  type LanguageModel,
  type ProgressiveDiverging,
  type Stage,
} from "../../models/mod.ts";
import {
  type CheckpointStore,
  evaluate,
  evaluatePositions,
  type LanguageModelTraining,
  makeSchedule,
  meanLossOf,
  type PositionEvaluation,
  saveCheckpoint,
  type StageHistory,
  trainInStages,
  trainLanguageModel,
} from "../../train/mod.ts";
import { type LanguageData, openLanguageData } from "../language_modelling/open_data.ts";
import { peakByTag, qualityMetrics } from "../leap/training.ts";
import { type ConvAttentionBenchConfig, horizonOf } from "./config.ts";
import { accumulateOf, buildModel, buildProgressive, lengthOf, targetDistance } from "./models.ts";
import { sampleText } from "./sampling.ts";
import { planOf, type Variant } from "./variants.ts";

type Metrics = NonNullable<CellInput["metrics"]>;
type Curves = NonNullable<CellInput["curves"]>;

/** Steps whose training losses are averaged on either side of a stage switch. */
const BUMP_STEPS = 10;

interface Trained {
  readonly model: LanguageModel;
  readonly stages: readonly StageHistory[];
}

/** Trains one variant with one seed, tests it by position and samples text from it. */
export async function runTrainingTask(
  context: TaskContext,
  config: ConvAttentionBenchConfig,
  variant: Variant,
  seed: number,
): Promise<void> {
  const { gpu } = context;
  const data = await openLanguageData(context, config.data, lengthOf(config, variant));
  const distance = targetDistance(config, variant);
  const steps = stepsOf(context, config, variant, data.tokenizer.vocabSize);
  gpu.memory.resetPeak();
  const liveBefore = gpu.memory.liveBytes;
  const { model, stages } = await trainVariant(context, config, variant, seed, data, steps);
  try {
    const memory = { peak: gpu.memory.peakBytes - liveBefore, byTag: peakByTag(context) };
    const weights = await saveCheckpoint(model.parameters, undefined);
    const { batchSize, testBlocks: blocks } = config.training;
    const options = { batchSize, blocks, signal: context.signal };
    const test = await evaluatePositions(model, await data.split("test", distance), options);
    const other = config.data.outOfDomain
      ? await evaluate(model, await data.split("out_of_domain", distance), options)
      : undefined;
    const last = stages.at(-1)!.history;
    const perStep = model.flops(batchSize, lengthOf(config, variant));
    context.record({
      variant,
      params: { seed, T: lengthOf(config, variant), targetDistance: distance },
      implementation: {
        form: "fused",
        label: "dense",
        parameters: model.parameters.count,
        weightsSha256: await sha256Hex(weights),
      },
      memoryBytes: memory,
      cost: {
        flops: steps * accumulateOf(config, variant) * (perStep.forward + perStep.backward),
        bytes: null,
        phase: "training",
      },
      metrics: [
        ...qualityMetrics(last.bestEvaluation, seed, "validation"),
        ...qualityMetrics(test, seed, "test"),
        ...(distance > 1 ? sliceMetrics(config, test, seed) : []),
        ...(other ? qualityMetrics(other, seed, "out_of_domain") : []),
        trainLoss(stages, seed),
        {
          metric: "training-time",
          unit: "s",
          value: stages.reduce((sum, { history }) => sum + history.seconds, 0),
          better: "lower",
          seed,
        },
        { metric: "training-steps", unit: "steps", value: steps, seed },
        { metric: "best-step", unit: "steps", value: last.best.step, seed },
        ...stageMetrics(stages, seed),
      ],
      curves: [...trainingCurves(stages, seed), positionCurve(test, seed)],
      notes: seed === 0 && config.sampling
        ? await samples(context, config, variant, model, data)
        : [],
    });
    for (const [i] of stages.entries()) {
      await context.artifacts.remove(checkpointName(variant, seed, i));
    }
  } finally {
    model.dispose();
  }
}

function checkpointName(variant: Variant, seed: number, stage: number): string {
  return `${variant}-${seed}-${stage}.checkpoint`;
}

/** Steps of a variant; those of equal compute follow from the operations of both models. */
function stepsOf(
  { gpu }: TaskContext,
  config: ConvAttentionBenchConfig,
  variant: Variant,
  vocabSize: number,
): number {
  const { steps: wanted, batchSize } = config.training;
  if (wanted === null) {
    throw new RangeError("Cannot train: training.steps is null, expected a number of steps");
  }
  if (planOf(variant).equal !== "compute") return wanted;
  const perStep = (name: Variant) => {
    const model = buildModel(gpu, config, name, vocabSize, 1);
    const { forward, backward } = model.flops(batchSize, lengthOf(config, name));
    model.dispose();
    return (forward + backward) * accumulateOf(config, name);
  };
  const steps = Math.round(wanted * perStep("conv_attention") / perStep(variant));
  return Math.max(2, Math.min(steps, Math.round(wanted * config.maxComputeSteps)));
}

/** Trains a variant, in one stage or in three, resuming from its checkpoints. */
async function trainVariant(
  context: TaskContext,
  config: ConvAttentionBenchConfig,
  variant: Variant,
  seed: number,
  data: LanguageData,
  steps: number,
): Promise<Trained> {
  const { gpu } = context;
  const { training } = config;
  const { learningRate, minLearningRateFraction, warmupFraction, schedule } = training;
  const distance = targetDistance(config, variant);
  const { vocabSize } = data.tokenizer;
  const init = context.seed(`init/${seed}`);
  const store = (stage: number): CheckpointStore => {
    const name = checkpointName(variant, seed, stage);
    return {
      load: () => context.artifacts.read(name),
      save: (bytes) => context.artifacts.write(name, bytes),
    };
  };
  const optimizer = {
    beta1: training.beta1,
    beta2: training.beta2,
    weightDecay: training.weightDecay,
    clipNorm: training.clipNorm,
  };
  const common: Omit<LanguageModelTraining, "model" | "steps" | "optimizer"> = {
    train: await data.split("train", distance),
    validation: await data.split("validation", distance),
    batchSize: training.batchSize,
    accumulate: accumulateOf(config, variant),
    schedule: makeSchedule(schedule, {
      learningRate,
      steps,
      warmupSteps: Math.round(warmupFraction * steps),
      minLearningRate: learningRate * minLearningRateFraction,
    }),
    seed: context.seed(`data/${seed}`),
    evaluations: Math.min(training.evaluations, steps),
    validationBlocks: training.validationBlocks,
    onStep: (step, loss) =>
      context.progress(
        step / steps,
        `${variant} seed ${seed}, step ${step}/${steps}, loss ${loss.toFixed(3)}`,
      ),
    signal: context.signal,
  };
  if (planOf(variant).family === "progressive") {
    const ends = stageEnds(config, steps);
    return await trainInStages<ProgressiveDiverging>({
      ...common,
      evaluations: Math.max(1, Math.round(common.evaluations / ends.length)),
      optimizer,
      checkpoint: store,
      stages: ends.map((until, i) => {
        const stage = i + 1 as Stage;
        return {
          until,
          build: () => buildProgressive(gpu, config, variant, vocabSize, init, { stage }),
          grow: (previous) => growProgressive(previous, init),
          origin: (name) => inheritedParameter(name, stage),
        };
      }),
    });
  }
  const model = buildModel(gpu, config, variant, vocabSize, init);
  try {
    const history = await trainLanguageModel({
      ...common,
      model,
      steps,
      optimizer,
      checkpoint: store(0),
    });
    const { trainableCount, count } = model.parameters;
    const stage = {
      firstStep: 0,
      lastStep: steps,
      history,
      trainableParameters: trainableCount,
      parameters: count,
      lossAfterSwitch: null,
    };
    return { model, stages: [stage] };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** Last step of each stage. */
export function stageEnds(config: ConvAttentionBenchConfig, steps: number): number[] {
  const [first, second] = config.progressive.stageFractions;
  return [Math.round(first * steps), Math.round((first + second) * steps), steps];
}

/** Test loss on targets that are part of the input, and on those that are not. */
function sliceMetrics(
  config: ConvAttentionBenchConfig,
  test: PositionEvaluation,
  seed: number,
): Metrics {
  const T = config.training.blockLength;
  const cut = T - horizonOf(config);
  return [["test-seen", 0, cut], ["test-unseen", cut, T]].flatMap(([split, start, end]) => {
    const slice = meanLossOf(test, start as number, end as number);
    if (!slice) return [];
    return [{
      metric: "loss",
      unit: "nats/token",
      value: slice.loss,
      better: "lower" as const,
      seed,
      split: split as string,
      n: slice.tokens,
    }];
  });
}

/** Mean loss of the last steps, which is what the source calls training loss. */
function trainLoss(stages: readonly StageHistory[], seed: number): Metrics[number] {
  const last = stages.at(-1)!.history.losses.slice(-BUMP_STEPS);
  return {
    metric: "loss",
    unit: "nats/token",
    value: last.reduce((sum, [, loss]) => sum + loss, 0) / last.length,
    better: "lower",
    seed,
    split: "train",
  };
}

/** Parameters of every stage and what its switch did to the loss. */
function stageMetrics(stages: readonly StageHistory[], seed: number): Metrics {
  if (stages.length < 2) return [];
  const mean = (losses: readonly [number, number][]) =>
    losses.reduce((sum, [, loss]) => sum + loss, 0) / losses.length;
  return stages.flatMap((stage, i): Metrics => {
    const name = `stage-${i + 1}`;
    const metrics: Metrics = [
      { metric: `${name}-parameters`, unit: "1", value: stage.parameters, seed },
      { metric: `${name}-trainable`, unit: "1", value: stage.trainableParameters, seed },
      { metric: `${name}-last-step`, unit: "steps", value: stage.lastStep, seed },
    ];
    if (i === 0) return metrics;
    const before = stages[i - 1].history;
    const jump = stage.lossAfterSwitch! - before.validations.at(-1)![1];
    const bump = mean(stage.history.losses.slice(0, BUMP_STEPS)) -
      mean(before.losses.slice(-BUMP_STEPS));
    const after = stage.history.validations[1]?.[1];
    return [
      ...metrics,
      { metric: `${name}-switch-jump`, unit: "nats/token", value: jump, seed },
      { metric: `${name}-switch-bump`, unit: "nats/token", value: bump, seed },
      ...(after === undefined ? [] : [{
        metric: `${name}-first-validation-change`,
        unit: "nats/token",
        value: after - stage.lossAfterSwitch!,
        seed,
      }]),
    ];
  });
}

function trainingCurves(stages: readonly StageHistory[], seed: number): Curves {
  const curve = (name: string, yLabel: string, points: [number, number][]) => ({
    name,
    xLabel: "step",
    yLabel,
    seed,
    points,
  });
  const all = (key: "losses" | "validations" | "gradientNorms") =>
    stages.flatMap(({ history }) => history[key]);
  return [
    curve("training loss", "loss (nats/token)", all("losses")),
    curve("validation loss", "loss (nats/token)", all("validations")),
    curve("gradient norm", "norm before clipping", all("gradientNorms")),
  ];
}

function positionCurve({ lossAt, tokensAt }: PositionEvaluation, seed: number): Curves[number] {
  return {
    name: "test loss by position",
    xLabel: "position",
    yLabel: "loss (nats/token)",
    seed,
    points: [...lossAt].map((loss, t) => [t, tokensAt[t] > 0 ? loss : null]),
  };
}

async function samples(
  context: TaskContext,
  config: ConvAttentionBenchConfig,
  variant: Variant,
  model: LanguageModel,
  data: LanguageData,
): Promise<string[]> {
  const { tokens, temperature } = config.sampling!;
  const texts = await sampleText(model, data.tokenizer, {
    horizon: targetDistance(config, variant),
    tokens,
    temperature,
    seed: context.seed("sampling"),
    signal: context.signal,
  });
  return texts.map(({ text }) => text);
}
