import { argmax, reshape, slice, type Tensor } from "../engine/mod.ts";
import type { Bart, EncodedText } from "./bart.ts";
import { requireLength } from "./model_error.ts";

/** Options of `generateText`. */
export interface GenerateTextOptions {
  /** Most tokens of an output, the one that ends it counted. */
  readonly maxTokens: number;
  /** 1 for real tokens of the input, i32 [B, T]. */
  readonly keyMask?: Tensor;
  /** What every output begins with; the start id, or start id and language id for mBART. @default {[config.startId]} */
  readonly prefix?: readonly number[];
  readonly signal?: AbortSignal;
}

/**
 * Greedy outputs of a sequence-to-sequence model. The text is encoded once; the decoder runs over the whole prefix at every step, without a
 * cache, so the cost grows with the square of the output.
 *
 * @param ids Input, i32 [B, T].
 * @returns One row of ids per input, without prefix and end id.
 */
export async function generateText(
  model: Bart,
  ids: Tensor,
  options: GenerateTextOptions,
): Promise<Int32Array[]> {
  const { gpu, config } = model;
  const { maxTokens, keyMask, prefix = [config.startId], signal } = options;
  requireLength("BART", prefix.length + maxTokens - 1, config.positions);
  const B = ids.dim(0);
  const outputs: number[][] = Array.from({ length: B }, () => []);
  const inputs = outputs.map(() => [...prefix]);
  const open = new Set(outputs.keys());
  const encoded = gpu.scope(() => gpu.withoutTape(() => model.encode(ids, { keyMask })));
  try {
    for (let step = 0; step < maxTokens && open.size > 0; step++) {
      signal?.throwIfAborted();
      const tokens = await gpu.scope(() =>
        gpu.read(gpu.withoutTape(() => nextTokens(model, encoded, inputs)))
      );
      inputs.forEach((row, b) => {
        const token = tokens[b];
        // A row at its end goes on beside the others; nobody reads what follows.
        row.push(token);
        if (token === config.endId) open.delete(b);
        if (open.has(b)) outputs[b].push(token);
      });
    }
  } finally {
    encoded.states.dispose();
    if (encoded.keyMask !== keyMask) encoded.keyMask?.dispose();
  }
  return outputs.map((row) => Int32Array.from(row));
}

/** The likeliest token after each row, [B]. */
function nextTokens(model: Bart, encoded: EncodedText, rows: readonly number[][]): Tensor {
  const { gpu, config } = model;
  const [B, length] = [rows.length, rows[0].length];
  const states = model.decode(encoded, gpu.tensor(Int32Array.from(rows.flat()), [B, length]));
  const last = slice(states, [0, length - 1], [B, length]);
  return argmax(model.logitsOf(reshape(last, [B, config.width])));
}
