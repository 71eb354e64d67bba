import { padRows, shuffledIndices } from "../../data/mod.ts";
import { hash4 } from "../../engine/mod.ts";
import type { TaskContext } from "../../harness/contract.ts";
import type { Bert } from "../../models/mod.ts";
import { AdamW, makeSchedule, train } from "../../train/mod.ts";
import type { TruncationConfig } from "./config.ts";

/** Padded lengths are multiples of this, so that few shapes come up. */
const LENGTH_STEP = 16;
/** Documents per pass of an evaluation. */
const EVALUATION_BATCH = 32;
/** Seed word that separates dropout from every other use of a seed. */
const DROPOUT_WORD = 11;

/** A document to train on. */
export interface TrainingDocument {
  readonly ids: Int32Array;
  readonly label: number;
}

/** What fine-tuning leaves behind besides the weights. */
export interface FineTuning {
  readonly losses: [number, number][];
  readonly seconds: number;
  readonly peakBytes: number;
}

/** Options of `fineTune`. */
export interface FineTuneOptions {
  readonly model: Bert;
  /** Documents of an epoch, truncated as its policy says; asked for once an epoch, before its first step. */
  readonly documents: (
    epoch: number,
  ) => readonly TrainingDocument[] | Promise<readonly TrainingDocument[]>;
  readonly count: number;
  readonly padId: number;
  readonly seed: number;
  readonly label: string;
}

/** Fine-tunes a classifier; batch order and dropout depend on the seed alone, so policies see the same documents in the same order. */
export async function fineTune(
  context: TaskContext,
  { fineTuning }: TruncationConfig,
  options: FineTuneOptions,
): Promise<FineTuning> {
  const { gpu, signal } = context;
  const { model, count, padId, seed } = options;
  const { epochs, batchSize, learningRate, warmupFraction, weightDecay, clipNorm } = fineTuning;
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
        const rows = [...order.subarray(first, first + batchSize)].map((i) => documents[i]);
        const batch = padRows(rows.map(({ ids }) => ids), padId, paddedLength(rows, model));
        const shape = [rows.length, batch.length];
        const labels = Int32Array.from(rows, ({ label }) => label);
        return model.classificationLoss(
          inputs.upload("ids", batch.ids, shape),
          inputs.upload("labels", labels, [rows.length]),
          {
            keyMask: inputs.upload("mask", batch.mask, shape),
            dropoutSeed: hash4(step, 0, seed, DROPOUT_WORD)[0],
          },
        );
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

/** Class of every document with the highest logit. */
export async function predict(
  context: TaskContext,
  model: Bert,
  documents: readonly Int32Array[],
  padId: number,
): Promise<Int32Array> {
  const { gpu, signal } = context;
  const labels = new Int32Array(documents.length);
  const order = documents.map((_, i) => i)
    .sort((a, b) => documents[a].length - documents[b].length);
  const pending: { rows: number[]; logits: Promise<Float32Array> }[] = [];
  for (let start = 0; start < order.length; start += EVALUATION_BATCH) {
    signal.throwIfAborted();
    const rows = order.slice(start, start + EVALUATION_BATCH);
    const items = rows.map((i) => ({ ids: documents[i] }));
    const batch = padRows(items.map(({ ids }) => ids), padId, paddedLength(items, model));
    const shape = [rows.length, batch.length];
    const logits = gpu.scope(() =>
      gpu.withoutTape(() =>
        gpu.readLater(model.classLogits(gpu.tensor(batch.ids, shape), {
          keyMask: gpu.tensor(batch.mask, shape),
        })).value
      )
    ) as Promise<Float32Array>;
    gpu.submit();
    pending.push({ rows, logits });
    if (pending.length > 2) await settle(pending.shift()!, labels);
  }
  for (const item of pending) await settle(item, labels);
  return labels;
}

async function settle(
  { rows, logits }: { rows: number[]; logits: Promise<Float32Array> },
  labels: Int32Array,
): Promise<void> {
  const values = await logits;
  const classes = values.length / rows.length;
  rows.forEach((document, b) => {
    const row = values.subarray(b * classes, (b + 1) * classes);
    labels[document] = row.reduce((best, value, c) => value > row[best] ? c : best, 0);
  });
}

function paddedLength(rows: readonly { readonly ids: Int32Array }[], model: Bert): number {
  const longest = rows.reduce((most, { ids }) => Math.max(most, ids.length), 1);
  const padded = Math.ceil(longest / LENGTH_STEP) * LENGTH_STEP;
  return Math.max(longest, Math.min(padded, model.maxLength));
}
