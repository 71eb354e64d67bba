import type { TaskContext } from "../../harness/contract.ts";
import type { Tensor } from "../../engine/mod.ts";
import type { Bert } from "../../models/mod.ts";
import type { EncoderBatch } from "../encoder_training/batches.ts";
import { classificationLoss } from "../encoder_training/fine_tune.ts";
import { argmax, evaluateInputs, predict } from "../encoder_training/predict.ts";
import type { LongInput } from "./encode_inputs.ts";

/** Longest answer that a prediction may have, in tokens. */
const LONGEST_ANSWER = 32;
/** Tokens of one evaluation pass, which keeps its memory the same at every length. */
const EVALUATION_TOKENS = 8192;

/** Loss of the head that the task has. */
export function taskLoss(model: Bert, batch: EncoderBatch<LongInput>): Tensor {
  if (!batch.items[0].span) return classificationLoss(model, withoutTypes(model, batch));
  const { ids, options, items, upload } = withoutTypes(model, batch);
  const place = (side: 0 | 1) => Int32Array.from(items, ({ span }) => span![side]);
  return model.spanLoss(ids, upload("first", place(0)), upload("last", place(1)), options);
}

/** Whether each input was answered rightly: its class, or exactly its span. */
export async function answerInputs(
  context: Pick<TaskContext, "gpu" | "signal">,
  model: Bert,
  inputs: readonly LongInput[],
  padId: number,
): Promise<{ predicted: Int32Array; correct: boolean[] }> {
  const longest = inputs.reduce((most, { ids }) => Math.max(most, ids.length), 1);
  const batchSize = Math.max(1, Math.floor(EVALUATION_TOKENS / longest));
  const plain = model.config.tokenTypes > 1
    ? inputs
    : inputs.map(({ secondFrom: _, ...rest }) => rest);
  if (!inputs[0].span) {
    const predicted = await predict(context, model, plain, padId, batchSize);
    return { predicted, correct: inputs.map(({ label }, i) => label === predicted[i]) };
  }
  const predicted = new Int32Array(inputs.length);
  const correct = new Array<boolean>(inputs.length).fill(false);
  await evaluateInputs(context, model, plain, {
    ...{ padId, batchSize },
    outputs: ({ ids, options }) => {
      const { start, end } = model.spanLogits(ids, options);
      return [start, end];
    },
    visit: (i, [start, end]) => {
      const first = argmax(start);
      const last = first + argmax(end.subarray(first, first + LONGEST_ANSWER));
      predicted[i] = first;
      correct[i] = first === inputs[i].span![0] && last === inputs[i].span![1];
    },
  });
  return { predicted, correct };
}

/** A model with one row of token types takes none. */
function withoutTypes(model: Bert, batch: EncoderBatch<LongInput>): EncoderBatch<LongInput> {
  if (model.config.tokenTypes > 1 || !batch.options.tokenTypes) return batch;
  const { tokenTypes: _, ...options } = batch.options;
  return { ...batch, options };
}
