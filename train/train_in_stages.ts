import type { LanguageModel } from "../models/mod.ts";
import { AdamW } from "./adamw.ts";
import { growOptimizer, type MomentOrigin } from "./grow_optimizer.ts";
import {
  type CheckpointStore,
  type LanguageModelTraining,
  type TrainingHistory,
  trainLanguageModel,
} from "./train_language_model.ts";

/** One stage of a training run in which the model grows. */
export interface TrainingStage<M extends LanguageModel> {
  /** Step at which the stage ends, counted from the start of the run. */
  readonly until: number;
  /** A model of this stage's shape; its weights are replaced when the stage is resumed. */
  build(): M;
  /** The model of this stage made of the one before; missing in the first stage. */
  grow?(previous: M): M;
  /** Where the optimizer state of its parameters comes from. */
  readonly origin?: MomentOrigin;
}

/** Options of `trainInStages`. */
export interface StagedTraining<M extends LanguageModel> extends
  Omit<
    LanguageModelTraining,
    "model" | "steps" | "checkpoint" | "keep" | "optimizer"
  > {
  readonly stages: readonly TrainingStage<M>[];
  readonly optimizer: ConstructorParameters<typeof AdamW>[1];
  /** Where stage number `stage` (from 0) is kept. */
  readonly checkpoint?: (stage: number) => CheckpointStore;
}

/** One stage as it went. */
export interface StageHistory {
  readonly firstStep: number;
  readonly lastStep: number;
  readonly history: TrainingHistory;
  readonly trainableParameters: number;
  readonly parameters: number;
  /** Validation loss of the grown model before its first step; null in the first stage. */
  readonly lossAfterSwitch: number | null;
}

/** Model and stages of a finished run. */
export interface StagedResult<M extends LanguageModel> {
  /** The model of the last stage, with the weights of that stage's best validation. The caller disposes it. */
  readonly model: M;
  readonly stages: readonly StageHistory[];
}

/**
 * Trains a model that grows between stages. The weights, the optimizer state, the schedule, the data position and the step number go on across
 * a switch. Every stage has a checkpoint of its own; a run that is interrupted resumes in the latest stage that has one, bit for bit.
 *
 * @throws {RangeError} If the stages do not end in order.
 */
export async function trainInStages<M extends LanguageModel>(
  options: StagedTraining<M>,
): Promise<StagedResult<M>> {
  const { stages, checkpoint } = options;
  checkOrder(stages);
  let resumed = stages.length - 1;
  while (resumed > 0 && !await checkpoint?.(resumed).load()) resumed--;
  const finished: StageHistory[] = [];
  let model: M | undefined;
  let optimizer: AdamW | undefined;
  try {
    for (const [i, { until, build, grow, origin }] of stages.entries()) {
      if (model && optimizer && i > resumed) {
        const grown = grow!(model);
        const carried = growOptimizer(optimizer, grown.parameters, origin!);
        optimizer.dispose();
        model.dispose();
        [model, optimizer] = [grown, carried];
      } else {
        // The stage's checkpoint has everything: a finished stage runs no step and only gives its history.
        optimizer?.dispose();
        model?.dispose();
        model = build();
        optimizer = new AdamW(model.parameters, options.optimizer);
      }
      const firstStep = i === 0 ? 0 : stages[i - 1].until;
      optimizer.steps = firstStep;
      const history = await trainLanguageModel({
        ...options,
        model,
        optimizer,
        steps: until,
        validateFirst: i > 0,
        keep: i === stages.length - 1 ? "best" : "last",
        checkpoint: checkpoint?.(i),
      });
      finished.push({
        firstStep,
        lastStep: until,
        history,
        trainableParameters: model.parameters.trainableCount,
        parameters: model.parameters.count,
        lossAfterSwitch: i > 0 ? history.validations[0][1] : null,
      });
    }
    const result = { model: model!, stages: finished };
    model = undefined;
    return result;
  } finally {
    optimizer?.dispose();
    model?.dispose();
  }
}

function checkOrder(stages: readonly TrainingStage<LanguageModel>[]): void {
  let last = 0;
  for (const { until } of stages) {
    if (!(Number.isInteger(until) && until > last)) {
      throw new RangeError(
        `Cannot train in stages: they end at steps ${
          stages.map((stage) => stage.until).join(", ")
        }, expected whole numbers that increase; use more steps or other stage fractions`,
      );
    }
    last = until;
  }
}
