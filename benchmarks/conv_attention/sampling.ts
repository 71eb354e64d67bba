import type { Tokenizer } from "../../data/mod.ts";
import { slice, uniformAt } from "../../engine/mod.ts";
import type { LanguageModel } from "../../models/mod.ts";
import { PROMPTS } from "./prompts.ts";

/** Settings of `sampleText`. */
export interface SamplingOptions {
  /** Distance of the model's targets: so many tokens come out of one pass. */
  readonly horizon: number;
  readonly tokens: number;
  readonly temperature: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/**
 * Continues each of the fixed prompts. A model that predicts `horizon` places ahead gives that many tokens at once: the last `horizon`
 * positions of the context say what follows it. (These are the only positions of the published Convolution Attention whose targets it
 * cannot see.)
 *
 * @returns The new text of each prompt.
 */
export async function sampleText(
  model: LanguageModel,
  tokenizer: Tokenizer,
  options: SamplingOptions,
): Promise<{ prompt: string; text: string }[]> {
  const results = [];
  for (const [i, prompt] of PROMPTS.entries()) {
    const ids = [...tokenizer.encode(prompt)];
    const start = ids.length;
    if (start < options.horizon) {
      results.push({ prompt, text: "(the prompt is shorter than the horizon)" });
      continue;
    }
    while (ids.length - start < options.tokens) {
      options.signal?.throwIfAborted();
      ids.push(...await nextTokens(model, tokenizer, ids, i, options));
    }
    results.push({ prompt, text: tokenizer.decode(ids.slice(start, start + options.tokens)) });
  }
  return results;
}

/** Draws the tokens that follow `ids`. */
async function nextTokens(
  model: LanguageModel,
  tokenizer: Tokenizer,
  ids: readonly number[],
  prompt: number,
  { horizon, temperature, seed }: SamplingOptions,
): Promise<number[]> {
  const { gpu } = model;
  const context = Int32Array.from(ids.slice(-model.positions));
  const count = Math.min(horizon, context.length);
  const logits = await gpu.scope(() =>
    gpu.withoutTape(() => {
      const all = model.logits(gpu.tensor(context, [1, context.length]));
      return gpu.readFloats(slice(all, [0, context.length - count, 0]));
    })
  );
  const width = logits.length / count;
  return Array.from({ length: count }, (_, row) => {
    // A vocabulary padded for speed has rows that no token belongs to.
    const scores = logits.subarray(row * width, row * width + tokenizer.vocabSize);
    return draw(scores, temperature, uniformAt(seed, prompt, ids.length + row));
  });
}

/** The index at which the softmax of scores / temperature passes `u` in [0, 1). */
function draw(scores: Float32Array, temperature: number, u: number): number {
  const top = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  const weights = Float64Array.from(scores, (score) => Math.exp((score - top) / temperature));
  let left = u * weights.reduce((a, b) => a + b, 0);
  for (let i = 0; i < weights.length; i++) {
    left -= weights[i];
    if (left < 0) return i;
  }
  return weights.length - 1;
}
