import type { LanguageModellingBatch, LanguageModellingData } from "../data/mod.ts";
import type { HostArray, Tensor } from "../engine/mod.ts";
import type { LanguageModel } from "../models/mod.ts";
import { StepInputs } from "./loop.ts";

/** Which blocks of a split an evaluation takes, in order from the first. */
export interface EvaluationOptions {
  /** Blocks per batch. */
  readonly batchSize: number;
  /** Blocks to take; all when null. @default {null} */
  readonly blocks?: number | null;
  readonly signal?: AbortSignal;
}

/** Batches in flight before the host waits for the oldest. */
const IN_FLIGHT = 3;

/**
 * Runs `measure` on the batches of a split and hands its values to `take`, in order and a few batches late, so that the GPU never waits.
 *
 * @param measure What to read of a batch; nothing is recorded on a tape.
 * @param take Given the batch and the values.
 */
export async function forEachBatch(
  model: LanguageModel,
  data: LanguageModellingData,
  { batchSize, blocks, signal }: EvaluationOptions,
  measure: (ids: Tensor, targets: Tensor) => Tensor,
  take: (batch: LanguageModellingBatch, values: HostArray) => void,
): Promise<void> {
  const { gpu } = model;
  const steps = Math.ceil(Math.min(blocks ?? Infinity, data.blockCount) / batchSize);
  const inputs = new StepInputs(gpu);
  const pending: { batch: LanguageModellingBatch; values: Promise<HostArray> }[] = [];
  const settle = async (limit: number) => {
    while (pending.length > limit) {
      const { batch, values } = pending.shift()!;
      take(batch, await values);
    }
  };
  try {
    let step = 0;
    for (const batch of data.batches({ batchSize, shuffle: false })) {
      if (step++ >= steps) break;
      signal?.throwIfAborted();
      const shape = [batch.batchSize, batch.blockLength];
      const ids = inputs.upload("ids", batch.inputs, shape);
      const targets = inputs.upload("targets", batch.targets, shape);
      const values = gpu.scope(() =>
        gpu.withoutTape(() => gpu.readLater(measure(ids, targets)).value)
      );
      gpu.submit();
      pending.push({ batch, values });
      await settle(IN_FLIGHT);
    }
    await settle(0);
  } finally {
    await Promise.allSettled(pending.map(({ values }) => values));
    inputs.dispose();
  }
}
