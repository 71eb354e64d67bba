import type { LanguageModellingData } from "../data/mod.ts";
import { hash4 } from "../engine/mod.ts";
import type { LanguageModel } from "../models/mod.ts";
import { AdamW, type AdamWOptions } from "./adamw.ts";
import { loadCheckpoint, saveCheckpoint } from "./checkpoint.ts";
import { evaluate, type Evaluation } from "./evaluate.ts";
import { BatchStream } from "./language_model_data.ts";
import { train } from "./loop.ts";
import type { Schedule } from "./schedule.ts";

/** A place that keeps the state of a training run across interruptions. */
export interface CheckpointStore {
  load(): Promise<Uint8Array | undefined>;
  save(bytes: Uint8Array): Promise<void>;
}

/** Options of `trainLanguageModel`. */
export interface LanguageModelTraining {
  readonly model: LanguageModel;
  readonly train: LanguageModellingData;
  readonly validation: LanguageModellingData;
  readonly batchSize: number;
  readonly accumulate?: number;
  /** Optimizer steps of the whole run. */
  readonly steps: number;
  readonly schedule: Schedule;
  /** Settings, or an optimizer that already holds state: it goes on from its step and stays the caller's. */
  readonly optimizer: AdamWOptions | AdamW;
  /** Seed of batch order and dropout. */
  readonly seed: number;
  /** Validations, evenly spaced, the last one after the last step. */
  readonly evaluations: number;
  /** Blocks per validation; all when null. */
  readonly validationBlocks?: number | null;
  /** Where to resume from and save to at each validation. */
  readonly checkpoint?: CheckpointStore;
  /** Which weights the model is left with: those of the best validation, or the last. @default {"best"} */
  readonly keep?: "best" | "last";
  /** Validates (and saves) before the first step too. @default {false} */
  readonly validateFirst?: boolean;
  readonly onStep?: (step: number, loss: number) => void;
  readonly signal?: AbortSignal;
}

/** What a training run leaves behind, besides the model's weights. */
export interface TrainingHistory {
  /** [step, loss in nats] of every step, counted from 1. */
  readonly losses: [number, number][];
  /** [step, loss in nats] of every validation. */
  readonly validations: [number, number][];
  /** Norm of the gradients before clipping, of every step. */
  readonly gradientNorms: [number, number][];
  /** Wall seconds of training and validation, over all sessions. */
  readonly seconds: number;
  readonly best: { readonly step: number; readonly loss: number };
  readonly bestEvaluation: Evaluation;
}

interface Progress {
  losses: [number, number][];
  validations: [number, number][];
  gradientNorms: [number, number][];
  seconds: number;
  best: { step: number; loss: number } | null;
  bestEvaluation: Evaluation | null;
}

/** Seed word that separates dropout from every other use of a seed. */
const DROPOUT_WORD = 7;

/**
 * Trains a model on the targets of its data and leaves it with the weights of its best validation (or the last). Interrupted and resumed,
 * it gives the same losses bit for bit.
 */
export async function trainLanguageModel(options: LanguageModelTraining): Promise<TrainingHistory> {
  const { model, batchSize, accumulate = 1, steps, seed, signal, checkpoint } = options;
  const optimizer = options.optimizer instanceof AdamW
    ? options.optimizer
    : new AdamW(model.parameters, options.optimizer);
  const stream = new BatchStream(options.train, batchSize, seed);
  let firstStep = optimizer.steps;
  const validateAt = validationSteps(firstStep, steps, options.evaluations);
  let progress: Progress = {
    losses: [],
    validations: [],
    gradientNorms: [],
    seconds: 0,
    best: null,
    bestEvaluation: null,
  };
  let bestWeights: Uint8Array | undefined;
  const saved = await checkpoint?.load();
  if (saved) {
    const parts = splitFile(saved);
    const state = await loadCheckpoint(parts.latest, model.parameters, optimizer);
    progress = state.extra as unknown as Progress;
    bestWeights = parts.best;
    firstStep = state.step;
  }
  let started = performance.now();
  const validate = async () => {
    const evaluation = await evaluate(model, options.validation, {
      batchSize,
      blocks: options.validationBlocks,
      signal,
    });
    progress.validations.push([optimizer.steps, evaluation.loss]);
    if (!progress.best || evaluation.loss < progress.best.loss) {
      progress.best = { step: optimizer.steps, loss: evaluation.loss };
      progress.bestEvaluation = evaluation;
      bestWeights = await saveCheckpoint(model.parameters, undefined);
    }
    progress.seconds += (performance.now() - started) / 1000;
    if (checkpoint) {
      const latest = await saveCheckpoint(model.parameters, optimizer, { ...progress });
      await checkpoint.save(joinFile(latest, bestWeights!));
    }
    started = performance.now();
  };
  try {
    if (options.validateFirst && !saved) await validate();
    await train({
      gpu: model.gpu,
      optimizer,
      schedule: options.schedule,
      firstStep,
      steps,
      accumulate,
      signal,
      loss: (step, part, inputs) => {
        const batch = stream.at(step * accumulate + part);
        const shape = [batch.batchSize, batch.blockLength];
        const ids = inputs.upload(`ids${part}`, batch.inputs, shape);
        const targets = inputs.upload(`targets${part}`, batch.targets, shape);
        return model.loss(ids, targets, { dropoutSeed: hash4(step, part, seed, DROPOUT_WORD)[0] });
      },
      onStep: ({ step, loss, gradientNorm }) => {
        progress.losses.push([step + 1, loss]);
        progress.gradientNorms.push([step + 1, gradientNorm]);
        options.onStep?.(step + 1, loss);
      },
      pauseAfter: (step) => validateAt.has(step + 1),
      afterStep: validate,
    });
    signal?.throwIfAborted();
    if (options.keep !== "last") await loadCheckpoint(bestWeights!, model.parameters);
  } finally {
    if (optimizer !== options.optimizer) optimizer.dispose();
  }
  return progress as TrainingHistory;
}

/** Evenly spaced steps after `first`, the last one being `last`. */
function validationSteps(first: number, last: number, count: number): Set<number> {
  return new Set(
    Array.from(
      { length: count },
      (_, i) => first + Math.max(1, Math.round((i + 1) * (last - first) / count)),
    ),
  );
}

/** The latest state and the best weights, in one file so that they cannot get out of step. */
function joinFile(latest: Uint8Array, best: Uint8Array): Uint8Array {
  const file = new Uint8Array(8 + latest.length + best.length);
  new DataView(file.buffer).setFloat64(0, latest.length);
  file.set(latest, 8);
  file.set(best, 8 + latest.length);
  return file;
}

function splitFile(file: Uint8Array): { latest: Uint8Array; best: Uint8Array } {
  const length = new DataView(file.buffer, file.byteOffset, file.byteLength).getFloat64(0);
  return { latest: file.subarray(8, 8 + length), best: file.subarray(8 + length) };
}
