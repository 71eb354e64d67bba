import { type AttentionScoring, fusedAttentionWithScores } from "../attention/mod.ts";
import { add, type Gpu, matmul, mulScalar, type Tensor } from "../engine/mod.ts";
import { Bert, type BertScoreOptions } from "./bert.ts";
import type { Gpt2 } from "./gpt2.ts";
import { applyNorm } from "./layers/norm.ts";
import { residualLinear } from "./layers/regularization.ts";
import { embedTokens } from "./layers/token_embedding.ts";

/** Options of `attentionScores`. */
export interface DocumentScoreOptions {
  /** @default {"row-column"} */
  readonly scoring?: AttentionScoring;
  /** First or last layers only. @default {all layers} */
  readonly layers?: BertScoreOptions["layers"];
  /** Documents per pass. @default {16} */
  readonly batchSize?: number;
  /** Id at padded places, which are masked. @default {0} */
  readonly padId?: number;
  readonly signal?: AbortSignal;
}

/** Padded lengths are multiples of this, so that few different shapes come up. */
const LENGTH_STEP = 16;

/**
 * Attention score of every token of every document: how much attention it pays and receives (or only receives), averaged over the
 * heads and the chosen layers of an encoder, or of a causal GPT-2.
 *
 * @param documents Token ids with the special tokens the model expects.
 * @returns One score per token and document, in the order given.
 */
export async function attentionScores(
  model: Bert | Gpt2,
  documents: readonly ArrayLike<number>[],
  options: DocumentScoreOptions = {},
): Promise<Float32Array[]> {
  const { batchSize = 16, padId = 0, signal, scoring, layers } = options;
  const { gpu } = model;
  const longest = "maxLength" in model ? model.maxLength : model.config.positions;
  const results = new Array<Float32Array>(documents.length);
  // Neighbours in length share a batch, which wastes little padding.
  const order = documents.map((_, i) => i).filter((i) => documents[i].length > 0)
    .sort((a, b) => documents[a].length - documents[b].length);
  documents.forEach((ids, i) => ids.length === 0 && (results[i] = new Float32Array()));
  for (let start = 0; start < order.length; start += batchSize) {
    signal?.throwIfAborted();
    const rows = order.slice(start, start + batchSize);
    const needed = documents[rows.at(-1)!].length;
    const T = Math.max(needed, Math.min(longest, Math.ceil(needed / LENGTH_STEP) * LENGTH_STEP));
    const ids = new Int32Array(rows.length * T).fill(padId);
    const mask = new Int32Array(rows.length * T);
    rows.forEach((document, b) => {
      ids.set(documents[document], b * T);
      mask.fill(1, b * T, b * T + documents[document].length);
    });
    const values = await gpu.scope(() =>
      gpu.readFloats(scoreBatch(gpu, model, ids, mask, [rows.length, T], { scoring, layers }))
    );
    rows.forEach((document, b) => {
      results[document] = values.slice(b * T, b * T + documents[document].length);
    });
  }
  return results;
}

function scoreBatch(
  gpu: Gpu,
  model: Bert | Gpt2,
  ids: Int32Array,
  mask: Int32Array,
  shape: readonly number[],
  options: Pick<BertScoreOptions, "scoring" | "layers">,
): Tensor {
  const idTensor = gpu.tensor(ids, shape);
  const keyMask = gpu.tensor(mask, shape);
  return model instanceof Bert
    ? model.attentionScores(idTensor, { ...options, keyMask })
    : causalScores(model, idTensor, keyMask, options);
}

/** The same for GPT-2: a token is read by later tokens only. */
function causalScores(
  model: Gpt2,
  ids: Tensor,
  keyMask: Tensor,
  { scoring, layers }: Pick<BertScoreOptions, "scoring" | "layers">,
): Tensor {
  const { gpu, blocks, config } = model;
  const count = !layers ? blocks.length : "first" in layers ? layers.first : layers.last;
  if (!(Number.isInteger(count) && count >= 1 && count <= blocks.length)) {
    throw new RangeError(
      `Cannot score tokens: ${count} layers are asked for, expected 1 to ${blocks.length}`,
    );
  }
  const from = layers && "last" in layers ? blocks.length - count : 0;
  return gpu.withoutTape(() =>
    gpu.scope(() => {
      let x = embedTokens(model.name, ids, model.tokens, model.positionTable);
      let total: Tensor | undefined;
      for (const [i, block] of blocks.slice(0, from + count).entries()) {
        const qkv = matmul(applyNorm(x, block.norm1), block.qkv.weight, { bias: block.qkv.bias });
        const options = { heads: config.heads, causal: true, keyMask, scoring };
        const { output, scores } = fusedAttentionWithScores(qkv, options);
        if (i >= from) total = total ? add(total, scores) : scores;
        x = residualLinear(x, output, block.projection, undefined);
        const inner = matmul(applyNorm(x, block.norm2), block.mlpIn.weight, {
          bias: block.mlpIn.bias,
          activation: "geluTanh",
        });
        x = residualLinear(x, inner, block.mlpOut, undefined);
      }
      return mulScalar(total!, 1 / count);
    })
  );
}
