/**
 * The split of text into pieces that merges never cross.
 * @module
 */

/**
 * Pre-tokenisation pattern of GPT-2 (Radford et al. 2019): English contractions, then letters,
 * digits or other signs with at most one space in front, then white space.
 *
 * `\s` is JavaScript's; libraries in other languages differ on U+0085 and U+FEFF.
 */
export const GPT2_PATTERN =
  /'(?:[stmd]|re|ve|ll)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/**
 * Calls `take` for every piece of the text, in order; the pieces join to the text.
 * @param pattern A global pattern that matches everything.
 */
export function forEachPiece(text: string, pattern: RegExp, take: (piece: string) => void): void {
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) take(match[0]);
}
