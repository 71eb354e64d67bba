import type { EncoderTokenizer } from "../encoder_training/encoder_tokenizer.ts";
import { globalEmbeddings } from "../../train/convert/global_embeddings.ts";
import { globalPositions } from "../../train/convert/global_positions.ts";
import { tiledRows } from "../../train/convert/position_tables.ts";

/** A tensor of our own names. */
export interface Weights {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** What the conversion is told. */
export interface WeightConversion {
  /** Text tokens of the longest input afterwards. */
  readonly length: number;
  /** First rows of the position table that stand for no position. */
  readonly positionOffset: number;
  /** Adds token type 0 to the globals, as for BERT; RoBERTa has it left out. */
  readonly addTokenType: boolean;
  readonly tokenizer: Pick<EncoderTokenizer, "cls" | "mask">;
  readonly seed: number;
}

/**
 * The conversion of sections 4.2 to 4.4 of the specification on weights under our own names: positions tiled to the new length, and
 * globals from the mask token's embedding and the old positions. Globals that are there already stay.
 */
export function convertWeights(
  weights: ReadonlyMap<string, Weights>,
  { length, positionOffset, addTokenType, tokenizer, seed }: WeightConversion,
): Map<string, Weights> {
  const converted = new Map(weights);
  const old = tableOf(weights, "embeddings.positions");
  if (!weights.has("embeddings.globals")) {
    const count = old.rows - positionOffset;
    // The published 64 for 512 positions: the first eight globals spread over the old range.
    const stride = Math.max(1, 2 ** Math.floor(Math.log2(Math.min(count, 512) / 8)));
    const factor = Math.max(1, Math.floor(count / 512));
    const types = addTokenType && weights.has("embeddings.token_types");
    const data = globalEmbeddings({
      words: tableOf(weights, "embeddings.tokens"),
      first: tokenizer.cls,
      mask: tokenizer.mask,
      positions: globalPositions(old, positionOffset, stride * factor, seed),
      tokenType: types ? tableOf(weights, "embeddings.token_types").row(0) : undefined,
    });
    converted.set("embeddings.globals", { shape: [data.length / old.width, old.width], data });
  }
  const rows = tiledRows(old.rows, positionOffset, length);
  const positions = new Float32Array(rows.length * old.width);
  rows.forEach((row, i) => positions.set(old.row(row), i * old.width));
  converted.set("embeddings.positions", { shape: [rows.length, old.width], data: positions });
  return converted;
}

function tableOf(weights: ReadonlyMap<string, Weights>, name: string) {
  const found = weights.get(name);
  if (!found) {
    throw new TypeError(
      `Cannot convert the encoder: ${name} is missing among ${weights.size} tensors, expected weights under our names`,
    );
  }
  const [rows, width] = found.shape;
  return { rows, width, row: (i: number) => found.data.slice(i * width, (i + 1) * width) };
}
