import { openTokenizerJson, type Tokenizer, trainBytePair } from "../../data/mod.ts";

/** A tokenizer with the special tokens an encoder needs. */
export interface EncoderTokenizer {
  readonly vocabSize: number;
  readonly cls: number;
  readonly sep: number;
  readonly pad: number;
  readonly mask: number;
  /** Ids that truncation never touches. */
  readonly specials: readonly number[];
  /** Ids of a text without special tokens. */
  encode(text: string): Int32Array;
  decode(ids: Iterable<number>): string;
}

/** Byte-pair encoding learnt from training texts, lower case; the special tokens follow the learnt ones. */
export function trainEncoderTokenizer(
  texts: readonly string[],
  vocabSize: number,
): EncoderTokenizer {
  const lower = (text: string) => text.toLowerCase();
  const pairs = trainBytePair(texts.map(lower), { vocabSize: vocabSize - 4 });
  const first = pairs.vocabSize;
  const names = ["[PAD]", "[CLS]", "[SEP]", "[MASK]"];
  return {
    vocabSize: first + names.length,
    ...{ pad: first, cls: first + 1, sep: first + 2, mask: first + 3 },
    specials: [first + 1, first + 2],
    encode: (text) => pairs.encode(lower(text)),
    decode: (ids) => decodeWith(pairs, ids, (id) => names[id - first]),
  };
}

/** Special tokens by family: first, separator, padding, mask. */
const SPECIALS = {
  bert: ["[CLS]", "[SEP]", "[PAD]", "[MASK]"],
  roberta: ["<s>", "</s>", "<pad>", "<mask>"],
} as const;

/** A published tokenizer.json of the BERT or the RoBERTa family. */
export function openBertTokenizer(
  json: unknown,
  family: keyof typeof SPECIALS = "bert",
): EncoderTokenizer {
  const names = SPECIALS[family];
  const tokenizer = openTokenizerJson(json, { name: family, endOfText: names[1] });
  const { added_tokens: added = [] } = json as { added_tokens?: { id: number; content: string }[] };
  const id = (content: string) => {
    const found = added.find((token) => token.content === content);
    if (found) return found.id;
    throw new RangeError(
      `Cannot use this tokenizer for an encoder: it has no ${content}; take one of the family ${family}`,
    );
  };
  const [cls, sep, pad, mask] = names.map(id);
  return {
    vocabSize: tokenizer.vocabSize,
    ...{ cls, sep, pad, mask },
    specials: [cls, sep],
    encode: (text) => tokenizer.encode(text),
    decode: (ids) => tokenizer.decode(ids),
  };
}

/** [CLS] text [SEP]. */
export function encodeDocument(tokenizer: EncoderTokenizer, text: string): Int32Array {
  return Int32Array.of(tokenizer.cls, ...tokenizer.encode(text), tokenizer.sep);
}

/** Pieces are decoded in runs: a character may span two of them. */
function decodeWith(
  tokenizer: Tokenizer,
  ids: Iterable<number>,
  special: (id: number) => string | undefined,
): string {
  const parts: string[] = [];
  let run: number[] = [];
  const flush = () => {
    if (run.length > 0) parts.push(tokenizer.decode(run));
    run = [];
  };
  for (const id of ids) {
    const name = special(id);
    if (name === undefined) run.push(id);
    else {
      flush();
      parts.push(name);
    }
  }
  flush();
  return parts.join("");
}
