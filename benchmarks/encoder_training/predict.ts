import type { Tensor } from "../../engine/mod.ts";
import type { TaskContext } from "../../harness/contract.ts";
import type { Bert } from "../../models/mod.ts";
import { type EncoderBatch, encoderBatch, type EncoderInput } from "./batches.ts";

/** Inputs per pass of an evaluation, unless told otherwise. */
const EVALUATION_BATCH = 32;
/** Passes whose results are awaited while the next ones run. */
const IN_FLIGHT = 2;

/** Options of `evaluateInputs`. */
export interface EvaluateOptions<D> {
  readonly padId: number;
  readonly batchSize?: number;
  /** Outputs of a batch, each with B rows. */
  readonly outputs: (batch: EncoderBatch<D>) => readonly Tensor[];
  /** Called for every input with its row of each output. */
  readonly visit: (index: number, rows: readonly Float32Array[]) => void;
}

/** Runs a model over inputs without a tape, neighbours in length together. */
export async function evaluateInputs<D extends EncoderInput>(
  { gpu, signal }: Pick<TaskContext, "gpu" | "signal">,
  model: Bert,
  items: readonly D[],
  { padId, batchSize = EVALUATION_BATCH, outputs, visit }: EvaluateOptions<D>,
): Promise<void> {
  const order = items.map((_, i) => i).sort((a, b) => items[a].ids.length - items[b].ids.length);
  const pending: { rows: number[]; values: Promise<Float32Array>[] }[] = [];
  const settle = async ({ rows, values }: typeof pending[number]) => {
    const arrays = await Promise.all(values);
    rows.forEach((index, b) => {
      visit(
        index,
        arrays.map((array) =>
          array.subarray(b * array.length / rows.length, (b + 1) * array.length / rows.length)
        ),
      );
    });
  };
  for (let start = 0; start < order.length; start += batchSize) {
    signal.throwIfAborted();
    const rows = order.slice(start, start + batchSize);
    const values = gpu.scope(() =>
      gpu.withoutTape(() => {
        const batch = encoderBatch(
          model,
          rows.map((i) => items[i]),
          padId,
          (_, data, shape) => gpu.tensor(data, shape),
        );
        return outputs(batch).map((t) => gpu.readLater(t).value as Promise<Float32Array>);
      })
    );
    gpu.submit();
    pending.push({ rows, values });
    if (pending.length > IN_FLIGHT) await settle(pending.shift()!);
  }
  for (const item of pending) await settle(item);
}

/** Class of every input with the highest logit. */
export async function predict(
  context: Pick<TaskContext, "gpu" | "signal">,
  model: Bert,
  items: readonly EncoderInput[],
  padId: number,
  batchSize?: number,
): Promise<Int32Array> {
  const labels = new Int32Array(items.length);
  await evaluateInputs(context, model, items, {
    padId,
    batchSize,
    outputs: ({ ids, options }) => [model.classLogits(ids, options)],
    visit: (index, [row]) => labels[index] = argmax(row),
  });
  return labels;
}

/** Index of the largest value. */
export function argmax(row: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i] > row[best]) best = i;
  return best;
}
