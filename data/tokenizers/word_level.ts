/**
 * One id per word, with a capped vocabulary.
 * @module
 */

import { sha256Sync } from "../sha256.ts";
import { utf8Length } from "../corpus.ts";
import { IdBuffer } from "./id_buffer.ts";
import { checkedByteLength, checkId, END_OF_TEXT, type Tokenizer } from "./tokenizer.ts";

/** A line end, a word (with inner apostrophes), a number, or one other sign. */
const WORD_PATTERN = /\n|\p{L}[\p{L}\p{M}]*(?:['’]\p{L}[\p{L}\p{M}]*)*|\p{N}+|[^\s\p{L}\p{N}]/gu;
const UNKNOWN = "<unk>";
const END_OF_TEXT_ID = 0;
const UNKNOWN_ID = 1;

/**
 * Words of a fixed list; every other word is `<unk>`. Spaces are not kept, line ends are. Decoding
 * puts one space between words, so it is not lossless.
 */
export class WordLevelTokenizer implements Tokenizer {
  readonly name: string;
  readonly vocabSize: number;
  readonly specials = { endOfText: END_OF_TEXT_ID, unknown: UNKNOWN_ID };
  readonly lossless = false;
  /** Written form of every id. */
  readonly words: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;

  /** @param words Written form of every id; the first two are the end of text and `<unk>`. */
  constructor(words: readonly string[]) {
    if (words[END_OF_TEXT_ID] !== END_OF_TEXT || words[UNKNOWN_ID] !== UNKNOWN) {
      throw new RangeError(
        `Cannot make a word-level tokenizer: words begin with "${words[0]}", "${words[1]}", ` +
          `expected "${END_OF_TEXT}", "${UNKNOWN}"`,
      );
    }
    this.words = [...words];
    this.vocabSize = words.length;
    this.name = `word-${words.length}`;
    // The two special forms are not words: the pattern never yields them from a text.
    this.#ids = new Map(words.map((word, id) => [word, id] as const).slice(2));
  }

  encode(text: string): Int32Array {
    const out = new IdBuffer(text.length / 5);
    for (const [word] of text.matchAll(WORD_PATTERN)) {
      out.append([this.#ids.get(word) ?? UNKNOWN_ID]);
    }
    return out.toArray();
  }

  decode(ids: Iterable<number>): string {
    let text = "";
    for (const id of ids) {
      checkId(id, this.vocabSize);
      const word = this.words[id];
      text += text === "" || text.endsWith("\n") || word === "\n" ? word : ` ${word}`;
    }
    return text;
  }

  /** White space counts with the word that follows it, trailing white space with the last word. */
  byteLengths(text: string, ids: Int32Array): Uint16Array {
    const lengths = new Uint16Array(ids.length);
    let end = 0;
    let i = 0;
    for (const match of text.matchAll(WORD_PATTERN)) {
      const stop = match.index + match[0].length;
      lengths[i++] = checkedByteLength(utf8Length(text.slice(end, stop)));
      end = stop;
    }
    if (i > 0) lengths[i - 1] = checkedByteLength(lengths[i - 1] + utf8Length(text.slice(end)));
    return lengths;
  }

  fingerprint(): string {
    return sha256Sync(JSON.stringify({ type: "word-level", version: 1, words: this.words }));
  }
}

/**
 * Takes the most frequent words of a text, ties in order of code units.
 * @param vocabSize Tokens wanted, the end of text and `<unk>` among them.
 */
export function trainWordLevel(
  texts: Iterable<string>,
  { vocabSize }: { readonly vocabSize: number },
): WordLevelTokenizer {
  if (!Number.isInteger(vocabSize) || vocabSize < 3) {
    throw new RangeError(
      `Cannot train a word-level tokenizer: vocabSize is ${vocabSize}, expected at least 3`,
    );
  }
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const [word] of text.matchAll(WORD_PATTERN)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const ranked = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const words = ranked.slice(0, vocabSize - 2).map(([word]) => word);
  return new WordLevelTokenizer([END_OF_TEXT, UNKNOWN, ...words]);
}
