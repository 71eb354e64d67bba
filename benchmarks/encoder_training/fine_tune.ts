import { shuffledIndices } from "../../data/mod.ts";
import { hash4, type Tensor } from "../../engine/mod.ts";
import type { TaskContext } from "../../harness/contract.ts";
import type { Bert } from "../../models/mod.ts";
import { AdamW, makeSchedule, train } from "../../train/mod.ts";
import { type EncoderBatch, encoderBatch, type EncoderInput } from "./batches.ts";

/** Seed word that separates dropout from every other use of a seed. */
const DROPOUT_WORD = 11;

/** How a model is fine-tuned. */
export interface FineTuneSettings {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly warmupFraction: number;
  readonly weightDecay: number;
  readonly clipNorm: number;
}

/** A document with its class. */
export interface TrainingDocument extends EncoderInput {
  readonly label: number;
}

/** What fine-tuning leaves behind besides the weights. */
export interface FineTuning {
  readonly losses: [number, number][];
  readonly seconds: number;
  readonly peakBytes: number;
}

/** Options of `fineTune`. */
export interface FineTuneOptions<D extends EncoderInput> {
  readonly model: Bert;
  /** Documents of an epoch; asked for once an epoch, before its first step. */
  readonly documents: (epoch: number) => readonly D[] | Promise<readonly D[]>;
  readonly count: number;
  readonly padId: number;
  readonly seed: number;
  readonly label: string;
  /** Mean loss of a batch. */
  readonly loss: (model: Bert, batch: EncoderBatch<D>) => Tensor;
}

/** Loss of the classification head. */
export function classificationLoss(
  model: Bert,
  { ids, items, options, upload }: EncoderBatch<TrainingDocument>,
): Tensor {
  const labels = Int32Array.from(items, ({ label }) => label);
  return model.classificationLoss(ids, upload("labels", labels), options);
}

/** Fine-tunes a model; batch order and dropout depend on the seed alone, so whatever is compared sees the same documents in the same order. */
export async function fineTune<D extends EncoderInput>(
  context: TaskContext,
  settings: FineTuneSettings,
  options: FineTuneOptions<D>,
): Promise<FineTuning> {
  const { gpu, signal } = context;
  const { model, count, padId, seed, loss } = options;
  const { epochs, batchSize, learningRate, warmupFraction, weightDecay, clipNorm } = settings;
  const perEpoch = Math.ceil(count / batchSize);
  const steps = epochs * perEpoch;
  const optimizer = new AdamW(model.parameters, { weightDecay, clipNorm });
  const losses: [number, number][] = [];
  let documents = await options.documents(0);
  gpu.memory.resetPeak();
  const before = gpu.memory.liveBytes;
  const started = performance.now();
  try {
    await train({
      gpu,
      optimizer,
      steps,
      signal,
      schedule: makeSchedule("linear", {
        learningRate,
        steps,
        warmupSteps: Math.round(warmupFraction * steps),
      }),
      loss: (step, _part, inputs) => {
        const order = shuffledIndices(count, seed, Math.floor(step / perEpoch));
        const first = step % perEpoch * batchSize;
        const items = [...order.subarray(first, first + batchSize)].map((i) => documents[i]);
        const dropoutSeed = hash4(step, 0, seed, DROPOUT_WORD)[0];
        const upload = inputs.upload.bind(inputs);
        return loss(model, encoderBatch(model, items, padId, upload, dropoutSeed));
      },
      onStep: ({ step, loss }) => {
        losses.push([step + 1, loss]);
        context.progress(
          (step + 1) / steps,
          `${options.label} step ${step + 1}/${steps} loss ${loss.toFixed(3)}`,
        );
      },
      pauseAfter: (step) => (step + 1) % perEpoch === 0 && step + 1 < steps,
      afterStep: async (step) => {
        documents = await options.documents((step + 1) / perEpoch);
      },
    });
    signal.throwIfAborted();
  } finally {
    optimizer.dispose();
  }
  return {
    losses,
    seconds: (performance.now() - started) / 1000,
    peakBytes: gpu.memory.peakBytes - before,
  };
}
