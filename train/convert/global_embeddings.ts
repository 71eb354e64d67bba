import { MAX_GLOBALS } from "../../attention/lsg/mod.ts";
import { normalAt } from "../../engine/mod.ts";
import type { FloatTable } from "./float_table.ts";

/** Stream of the random numbers that combine the rows of the vocabulary. */
const WORD_STREAM = 2;

/** What the globals are made of. */
export interface GlobalSources {
  /** Word embeddings U [V, D]. */
  readonly words: Pick<FloatTable, "rows" | "width" | "row">;
  /** Ids of the first (bos or cls) and the mask token; the mask is not used by the random form. */
  readonly first: number;
  readonly mask?: number;
  /** Position embeddings of the globals, float32 [512, D]. */
  readonly positions: Float32Array<ArrayBuffer>;
  /** Embedding of token type 0 where it is added. */
  readonly tokenType?: Float32Array;
}

/**
 * Global embeddings, float32 [512, D]: row 0 is U[first] + position, the others U[mask] + position, plus token type 0. The sums are
 * taken in this order in float32, as the reference does.
 */
export function globalEmbeddings(sources: GlobalSources): Float32Array<ArrayBuffer> {
  const { words, first, mask = first, positions, tokenType } = sources;
  const { width } = words;
  const result = new Float32Array(MAX_GLOBALS * width);
  const [firstRow, maskRow] = [words.row(first), words.row(mask)];
  for (let i = 0; i < result.length; i++) {
    const column = i % width;
    const word = (i < width ? firstRow : maskRow)[column];
    const sum = Math.fround(positions[i] + word);
    result[i] = tokenType ? sum + tokenType[column] : sum;
  }
  return result;
}

/**
 * Global embeddings whose words are normal numbers with the mean and covariance of the vocabulary; row 0 is U[first].
 *
 * A sample is the mean plus a random combination of the centred rows, sum_v z_v (U_v - mean) / sqrt(V - 1) with standard normal
 * z: its covariance is cov(U) without decomposing a matrix, which also works for a vocabulary smaller than the width. Not
 * bit-equal to torch's sampler. Costs 512 V D multiplications.
 *
 * @param doubleType Add token type 0 to row 0 twice, as the reference does.
 */
export function randomGlobalEmbeddings(
  sources: GlobalSources,
  seed: number,
  doubleType = false,
): Float32Array<ArrayBuffer> {
  const { words, first, positions, tokenType } = sources;
  const { width } = words;
  const samples = sampleWords(words, seed);
  const firstRow = words.row(first);
  for (let c = 0; c < width; c++) {
    samples[c] = doubleType && tokenType ? Math.fround(firstRow[c] + tokenType[c]) : firstRow[c];
  }
  const result = new Float32Array(MAX_GLOBALS * width);
  for (let i = 0; i < result.length; i++) {
    const place = tokenType ? Math.fround(positions[i] + tokenType[i % width]) : positions[i];
    result[i] = Math.fround(samples[i]) + place;
  }
  return result;
}

function sampleWords(words: GlobalSources["words"], seed: number): Float64Array {
  const { width, rows } = words;
  const mean = new Float64Array(width);
  for (let v = 0; v < rows; v++) words.row(v).forEach((value, c) => mean[c] += value / rows);
  const samples = new Float64Array(MAX_GLOBALS * width);
  const scale = 1 / Math.sqrt(Math.max(1, rows - 1));
  const row = (v: number) =>
    v < rows
      ? Float64Array.from(words.row(v), (value, c) => (value - mean[c]) * scale)
      : new Float64Array(width);
  // Four rows at a time: the samples are too many for a fast cache.
  for (let v = 0; v < rows; v += 4) {
    const [r0, r1, r2, r3] = [row(v), row(v + 1), row(v + 2), row(v + 3)];
    const z = (g: number, i: number) => normalAt(seed, WORD_STREAM, (v + i) * MAX_GLOBALS + g);
    for (let g = 1; g < MAX_GLOBALS; g++) {
      const [z0, z1, z2, z3] = [z(g, 0), z(g, 1), z(g, 2), z(g, 3)];
      for (let c = 0, at = g * width; c < width; c++, at++) {
        samples[at] += z0 * r0[c] + z1 * r1[c] + z2 * r2[c] + z3 * r3[c];
      }
    }
  }
  for (let i = width; i < samples.length; i++) samples[i] += mean[i % width];
  return samples;
}
