/**
 * Training of a byte-level BPE vocabulary.
 * @module
 */

import { BytePairTokenizer } from "./bpe.ts";
import { BYTE_TO_CHARACTER, SORTED_ALPHABET } from "./byte_alphabet.ts";
import { PairCounts } from "./pair_counts.ts";
import { forEachPiece, GPT2_PATTERN } from "./pre_tokenizer.ts";
import { END_OF_TEXT } from "./tokenizer.ts";

/** Settings of {@link trainBytePair}. */
export interface BytePairTrainingOptions {
  /** Tokens wanted, the end-of-text token and the 256 bytes among them. */
  readonly vocabSize: number;
  /**
   * A pair seen less often is not merged, so the vocabulary can end up smaller.
   * @default {2}
   */
  readonly minFrequency?: number;
}

/**
 * Learns merges (Sennrich et al. 2016, over bytes as in GPT-2): again and again the most frequent
 * neighbouring pair inside a piece becomes a token. Among equally frequent pairs the one with the
 * smaller left id wins, then the smaller right id, so the same text gives the same tokenizer.
 *
 * Ids: 0 end of text, 1-256 the bytes in order of their character, then the merges in order.
 * @param texts The training text, whole documents.
 */
export function trainBytePair(
  texts: Iterable<string>,
  options: BytePairTrainingOptions,
): BytePairTokenizer {
  const { vocabSize, minFrequency = 2 } = options;
  const tokens = [END_OF_TEXT, ...SORTED_ALPHABET];
  if (!Number.isInteger(vocabSize) || vocabSize < tokens.length) {
    throw new RangeError(
      `Cannot train byte-pair encoding: vocabSize is ${vocabSize}, expected an integer of at ` +
        `least ${tokens.length} (end of text and 256 bytes)`,
    );
  }
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const byteIds = Int32Array.from(BYTE_TO_CHARACTER, (character) => ids.get(character)!);
  const words: Int32Array[] = [];
  const counts: number[] = [];
  for (const [piece, count] of countPieces(texts)) {
    const bytes = new TextEncoder().encode(piece);
    if (bytes.length < 2) continue;
    words.push(Int32Array.from(bytes, (byte) => byteIds[byte]));
    counts.push(count);
  }
  const pairs = new PairCounts(words, counts, vocabSize);
  const merges: [number, number][] = [];
  // Two different merges can spell the same token; the second then reuses the first one's id.
  while (tokens.length < vocabSize) {
    const best = pairs.takeBest(Math.max(1, minFrequency));
    if (best === undefined) break;
    const token = tokens[best.left] + tokens[best.right];
    const id = ids.get(token) ?? tokens.push(token) - 1;
    ids.set(token, id);
    merges.push([best.left, best.right]);
    pairs.merge(best.left, best.right, id);
  }
  return new BytePairTokenizer({ tokens, merges, endOfText: 0 });
}

function countPieces(texts: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    forEachPiece(text, GPT2_PATTERN, (piece) => counts.set(piece, (counts.get(piece) ?? 0) + 1));
  }
  return counts;
}
