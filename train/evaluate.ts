import { bitsPerByte, type LanguageModellingData } from "../data/mod.ts";
import type { LanguageModel } from "../models/mod.ts";
import { type EvaluationOptions, forEachBatch } from "./for_each_batch.ts";

/** Quality of a language model on a split. */
export interface Evaluation {
  /** Mean cross-entropy in nats per predicted token. */
  readonly loss: number;
  readonly perplexity: number;
  /** Comparable between tokenizers, unlike the two above. */
  readonly bitsPerByte: number;
  readonly tokens: number;
}

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
  options: EvaluationOptions,
): Promise<Evaluation> {
  let nats = 0;
  let tokens = 0;
  let bytes = 0;
  await forEachBatch(
    model,
    data,
    options,
    (ids, targets) => model.loss(ids, targets),
    (batch, [loss]) => {
      nats += loss * batch.predictedTokens;
      tokens += batch.predictedTokens;
      bytes += batch.predictedBytes;
    },
  );
  const loss = nats / tokens;
  return { loss, perplexity: Math.exp(loss), bitsPerByte: bitsPerByte(nats, bytes), tokens };
}
