/**
 * What every tokenizer offers.
 * @module
 */

/** Ids with a meaning of their own. */
export interface SpecialTokens {
  /** Put after every document. */
  readonly endOfText: number;
  /** Stands for whatever the vocabulary does not hold. */
  readonly unknown?: number;
}

/** Turns text into ids and back. Text is always plain text: no spelling of a special token in it is special. */
export interface Tokenizer {
  readonly name: string;
  /** Ids are 0 .. vocabSize-1. */
  readonly vocabSize: number;
  readonly specials: SpecialTokens;
  /**
   * Whether `decode(encode(text)) === text` for every text. A tokenizer that maps different texts to
   * the same ids has less to predict, so its bits per byte flatter it and a report must say so.
   */
  readonly lossless: boolean;
  /** Ids of a text, without special tokens. */
  encode(text: string): Int32Array;
  /** Text of ids; a special token gives its written form. */
  decode(ids: Iterable<number>): string;
  /**
   * UTF-8 bytes of `text` that each id covers; they add up to the bytes of the text.
   * @param text A text.
   * @param ids What {@link encode} gave for it.
   */
  byteLengths(text: string, ids: Int32Array): Uint16Array;
  /** SHA-256 of everything that decides the ids: equal fingerprints give equal ids. */
  fingerprint(): string;
  /** Contents of a tokenizer.json with the same ids; absent where a tokenizer keeps none. */
  toTokenizerJson?(): unknown;
}

/** The written form of the end-of-text token where a tokenizer has no other. */
export const END_OF_TEXT = "<|endoftext|>";

/** Looks up the length of every id in a table. */
export function byteLengthsFromTable(ids: Int32Array, table: Uint16Array): Uint16Array {
  const lengths = new Uint16Array(ids.length);
  for (let i = 0; i < ids.length; i++) lengths[i] = table[ids[i]];
  return lengths;
}

/**
 * Spreads `bytes` evenly over `count` ids: for tokenizers whose normalisation hides which byte went
 * where. Exact in sum, approximate only where a block ends inside the text.
 */
export function spreadByteLengths(bytes: number, count: number): Uint16Array {
  const lengths = new Uint16Array(count);
  let before = 0;
  for (let i = 0; i < count; i++) {
    const after = Math.floor((i + 1) * bytes / count);
    lengths[i] = checkedByteLength(after - before);
    before = after;
  }
  return lengths;
}

/** A byte length that fits the table; a token over 64 KiB means the text is not text. */
export function checkedByteLength(bytes: number): number {
  if (bytes > 0xffff) {
    throw new RangeError(
      `Cannot tokenize: one token covers ${bytes} bytes, expected at most 65535; ` +
        "break up the run of unbroken characters",
    );
  }
  return bytes;
}

/** Throws a RangeError for an id outside the vocabulary. */
export function checkId(id: number, vocabSize: number): void {
  if (!(Number.isInteger(id) && id >= 0 && id < vocabSize)) {
    throw new RangeError(`Cannot decode: id is ${id}, expected an integer below ${vocabSize}`);
  }
}
