import { bitsPerByte, type LanguageModellingData } from "../data/mod.ts";
import type { Tensor } from "../engine/mod.ts";
import type { LanguageModel } from "../models/mod.ts";
import type { Evaluation } from "./evaluate.ts";
import { type EvaluationOptions, forEachBatch } from "./for_each_batch.ts";

/** Quality of a language model on a split, position by position. */
export interface PositionEvaluation extends Evaluation {
  /** Mean cross-entropy in nats at each position of a block; NaN where nothing was predicted. */
  readonly lossAt: Float64Array;
  /** Tokens predicted at each position. */
  readonly tokensAt: Float64Array;
}

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
  options: EvaluationOptions,
): Promise<PositionEvaluation> {
  const length = data.blockLength;
  const sums = new Float64Array(length);
  const tokensAt = new Float64Array(length);
  let bytes = 0;
  const measure = (ids: Tensor, targets: Tensor) => model.tokenLosses(ids, targets);
  await forEachBatch(model, data, options, measure, (batch, losses) => {
    for (const [i, target] of batch.targets.entries()) {
      if (target < 0) continue;
      sums[i % length] += losses[i];
      tokensAt[i % length]++;
    }
    bytes += batch.predictedBytes;
  });
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
