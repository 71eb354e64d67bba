import type { LanguageModellingData } from "../data/mod.ts";
import type { HostArray } from "../engine/mod.ts";
import type { LanguageModel } from "../models/mod.ts";
import { bitsPerByte } from "../data/mod.ts";
import type { Evaluation } from "./evaluate.ts";
import { StepInputs } from "./loop.ts";

/** Quality of a language model on a split, position by position. */
export interface PositionEvaluation extends Evaluation {
  /** Mean cross-entropy in nats at each position of a block; NaN where nothing was predicted. */
  readonly lossAt: Float64Array;
  /** Tokens predicted at each position. */
  readonly tokensAt: Float64Array;
}

/** Batches in flight before the host waits for the oldest. */
const IN_FLIGHT = 3;

/**
 * Evaluates on the first `blocks` blocks of a split like `evaluate`, and keeps the loss of every position of a block apart.
 *
 * @param model Model to evaluate; nothing is dropped or recorded.
 * @param data The split.
 * @param options Blocks per batch, and how many blocks to take (all when null).
 */
export async function evaluatePositions(
  model: LanguageModel,
  data: LanguageModellingData,
  options: { batchSize: number; blocks?: number | null; signal?: AbortSignal },
): Promise<PositionEvaluation> {
  const { gpu } = model;
  const { batchSize, signal } = options;
  const steps = Math.ceil(Math.min(options.blocks ?? Infinity, data.blockCount) / batchSize);
  const length = data.blockLength;
  const sums = new Float64Array(length);
  const tokensAt = new Float64Array(length);
  const inputs = new StepInputs(gpu);
  const pending: { losses: Promise<HostArray>; targets: Int32Array }[] = [];
  let bytes = 0;
  const settle = async (limit: number) => {
    while (pending.length > limit) {
      const { losses, targets } = pending.shift()!;
      const values = await losses;
      for (let i = 0; i < targets.length; i++) {
        if (targets[i] < 0) continue;
        sums[i % length] += values[i];
        tokensAt[i % length]++;
      }
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
      const losses = gpu.scope(() => gpu.readLater(model.tokenLosses(ids, targets)).value);
      gpu.submit();
      pending.push({ losses, targets: batch.targets });
      bytes += batch.predictedBytes;
      await settle(IN_FLIGHT);
    }
    await settle(0);
  } finally {
    await Promise.allSettled(pending.map((batch) => batch.losses));
    inputs.dispose();
  }
  const nats = sums.reduce((a, b) => a + b, 0);
  const tokens = tokensAt.reduce((a, b) => a + b, 0);
  const loss = nats / tokens;
  return {
    loss,
    perplexity: Math.exp(loss),
    bitsPerByte: bitsPerByte(nats, bytes),
    tokens,
    lossAt: sums.map((sum, t) => sum / tokensAt[t]),
    tokensAt,
  };
}

/** Mean loss over the positions from `start` up to `end`, each weighted by the tokens predicted there; null where there are none. */
export function meanLossOf(
  { lossAt, tokensAt }: Pick<PositionEvaluation, "lossAt" | "tokensAt">,
  start: number,
  end: number,
): { loss: number; tokens: number } | null {
  let nats = 0;
  let tokens = 0;
  for (let t = Math.max(0, start); t < Math.min(end, lossAt.length); t++) {
    if (tokensAt[t] === 0) continue;
    nats += lossAt[t] * tokensAt[t];
    tokens += tokensAt[t];
  }
  return tokens === 0 ? null : { loss: nats / tokens, tokens };
}
