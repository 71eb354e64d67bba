import { bitsPerByte, type LanguageModellingData } from "../data/mod.ts";
import type { HostArray } from "../engine/mod.ts";
import type { LanguageModel } from "../models/mod.ts";
import { StepInputs } from "./loop.ts";

/** Quality of a language model on a split. */
export interface Evaluation {
  /** Mean cross-entropy in nats per predicted token. */
  readonly loss: number;
  readonly perplexity: number;
  /** Comparable between tokenizers, unlike the two above. */
  readonly bitsPerByte: number;
  readonly tokens: number;
}

/** Batches in flight before the host waits for the oldest. */
const IN_FLIGHT = 3;

/**
 * Evaluates on the first `blocks` blocks of a split, in order.
 *
 * @param model Model to evaluate; nothing is dropped or recorded.
 * @param data The split.
 * @param options Blocks per batch, and how many blocks to take (all when null).
 */
export async function evaluate(
  model: LanguageModel,
  data: LanguageModellingData,
  options: { batchSize: number; blocks?: number | null; signal?: AbortSignal },
): Promise<Evaluation> {
  const { gpu } = model;
  const { batchSize, signal } = options;
  const steps = Math.ceil(Math.min(options.blocks ?? Infinity, data.blockCount) / batchSize);
  const inputs = new StepInputs(gpu);
  let nats = 0;
  let tokens = 0;
  let bytes = 0;
  const pending: { loss: Promise<HostArray>; tokens: number }[] = [];
  const settle = async (limit: number) => {
    while (pending.length > limit) {
      const batch = pending.shift()!;
      nats += (await batch.loss)[0] * batch.tokens;
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
      const loss = gpu.scope(() =>
        gpu.withoutTape(() => gpu.readLater(model.loss(ids, targets)).value)
      );
      gpu.submit();
      pending.push({ loss, tokens: batch.predictedTokens });
      tokens += batch.predictedTokens;
      bytes += batch.predictedBytes;
      await settle(IN_FLIGHT);
    }
    await settle(0);
  } finally {
    await Promise.allSettled(pending.map((batch) => batch.loss));
    inputs.dispose();
  }
  const loss = nats / tokens;
  return { loss, perplexity: Math.exp(loss), bitsPerByte: bitsPerByte(nats, bytes), tokens };
}
