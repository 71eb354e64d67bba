/**
 * Tokenizers by name, trained where they need training.
 * @module
 */

import type { CorpusSplit } from "../corpus.ts";
import { type DataStore, type Warn, warnOnConsole } from "../data_store.ts";
import { sha256Sync } from "../sha256.ts";
import { BytePairTokenizer } from "./bpe.ts";
import { trainBytePair } from "./bpe_trainer.ts";
import { ByteTokenizer } from "./byte.ts";
import { openGpt2Tokenizer } from "./gpt2.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { openTokenizerJson } from "./tokenizer_json.ts";
import { trainWordLevel } from "./word_level.ts";

/** Names that {@link openTokenizer} knows. */
export const TOKENIZER_NAMES = ["byte", "bpe", "word", "gpt2", "json"] as const;

/** One of {@link TOKENIZER_NAMES}. */
export type TokenizerName = typeof TOKENIZER_NAMES[number];

/** Settings of {@link openTokenizer}. */
export interface OpenTokenizerOptions {
  /** Training split; `bpe` and `word` learn from it and from nothing else. */
  readonly train?: CorpusSplit;
  /** Tokens wanted of `bpe` and `word`. @default {8192} */
  readonly vocabSize?: number;
  /** Contents of a tokenizer.json, for `json`. */
  readonly json?: unknown;
  /** Keeps trained `bpe` tokenizers. */
  readonly store?: DataStore;
  readonly warn?: Warn;
}

/** Opens a tokenizer by name. */
export async function openTokenizer(
  name: TokenizerName,
  options: OpenTokenizerOptions = {},
): Promise<Tokenizer> {
  const { vocabSize = 8192, json } = options;
  switch (name) {
    case "byte":
      return new ByteTokenizer();
    case "gpt2":
      return await openGpt2Tokenizer();
    case "json":
      return openTokenizerJson(json, { name: "json" });
    case "word":
      return trainWordLevel(texts(trainingSplit(name, options)), { vocabSize });
    case "bpe":
      return await cachedBytePair(trainingSplit(name, options), vocabSize, options);
    default:
      throw new RangeError(
        `Cannot open tokenizer: name is "${name}", expected one of ${TOKENIZER_NAMES.join(", ")}`,
      );
  }
}

/** A trained tokenizer from the cache; its checksum is stored beside it. */
async function cachedBytePair(
  train: CorpusSplit,
  vocabSize: number,
  { store, warn = warnOnConsole }: OpenTokenizerOptions,
): Promise<Tokenizer> {
  const key = sha256Sync(JSON.stringify({ version: 1, split: train.sha256, vocabSize }));
  const path = store === undefined ? "" : `${store.cacheDir}/tokenizers/bpe-${key}.json`;
  const cached = await store?.readFile(path);
  if (cached !== undefined) {
    try {
      const { fingerprint, tokenizer } = JSON.parse(new TextDecoder().decode(cached));
      const read = BytePairTokenizer.fromTokenizerJson(tokenizer);
      if (read.fingerprint() === fingerprint) return read;
    } catch {
      // Not JSON, or not a tokenizer: rebuilt below like a wrong checksum.
    }
    warn(`Rebuilding ${path}: the cached tokenizer fails its checksum`);
  }
  const trained = trainBytePair(texts(train), { vocabSize });
  await store?.writeFileAtomic(
    path,
    JSON.stringify({ fingerprint: trained.fingerprint(), tokenizer: trained.toTokenizerJson() }),
  );
  return trained;
}

function trainingSplit(name: TokenizerName, { train }: OpenTokenizerOptions): CorpusSplit {
  if (train === undefined) {
    throw new TypeError(`Cannot train tokenizer ${name}: it needs the training split`);
  }
  return train;
}

function* texts(split: CorpusSplit): Generator<string> {
  for (const { text } of split.documents) yield text;
}
