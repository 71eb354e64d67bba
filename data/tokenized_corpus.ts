/**
 * A split turned into one stream of ids, and its cache.
 * @module
 */

import type { CorpusSplit } from "./corpus.ts";
import { type DataStore, type Warn, warnOnConsole } from "./data_store.ts";
import { decodeTokenizedCorpus, encodeTokenizedCorpus } from "./tokenized_corpus_file.ts";
import { sha256Sync } from "./sha256.ts";
import { IdBuffer } from "./tokenizers/id_buffer.ts";
import type { Tokenizer } from "./tokenizers/tokenizer.ts";

/** Raised whenever the meaning of a cached file changes. */
const CACHE_VERSION = 1;

/** All documents of a split, each followed by the end-of-text token. */
export interface TokenizedCorpus {
  readonly ids: Int32Array<ArrayBuffer>;
  /** UTF-8 bytes that each id covers; 0 for the end-of-text token. Same length as `ids`. */
  readonly byteLengths: Uint16Array<ArrayBuffer>;
  readonly vocabSize: number;
  readonly endOfText: number;
  /** Whether bits per byte can be compared with those of other tokenizers. */
  readonly lossless: boolean;
}

/** Where {@link tokenizeCorpus} may keep its result. */
export interface TokenizeOptions {
  /** Cache; without one the split is tokenized anew each time. */
  readonly store?: DataStore;
  /** Told when a damaged cache entry is rebuilt. */
  readonly warn?: Warn;
}

/** Tokenizes a split, or takes the result of an earlier run with the same tokenizer and text. */
export async function tokenizeCorpus(
  split: CorpusSplit,
  tokenizer: Tokenizer,
  { store, warn = warnOnConsole }: TokenizeOptions = {},
): Promise<TokenizedCorpus> {
  const common = {
    vocabSize: tokenizer.vocabSize,
    endOfText: tokenizer.specials.endOfText,
    lossless: tokenizer.lossless,
  };
  const key = sha256Sync(JSON.stringify({
    version: CACHE_VERSION,
    tokenizer: tokenizer.fingerprint(),
    endOfText: common.endOfText,
    split: split.sha256,
  }));
  const path = store === undefined ? "" : `${store.cacheDir}/tokenized/${key}.bin`;
  const cached = await store?.readFile(path);
  if (cached !== undefined) {
    const arrays = await decodeTokenizedCorpus(cached, key);
    if (arrays !== undefined) return { ...arrays, ...common };
    warn(
      `Rebuilding ${path}: the cached tokens of ${split.corpus}/${split.split} fail their checksum`,
    );
  }
  const arrays = tokenizeDocuments(split, tokenizer);
  await store?.writeFileAtomic(path, await encodeTokenizedCorpus(arrays, key));
  return { ...arrays, ...common };
}

function tokenizeDocuments(
  split: CorpusSplit,
  tokenizer: Tokenizer,
): { ids: Int32Array<ArrayBuffer>; byteLengths: Uint16Array<ArrayBuffer> } {
  const ids = new IdBuffer();
  const lengths: Uint16Array[] = [];
  for (const { text } of split.documents) {
    const part = tokenizer.encode(text);
    ids.append(part);
    ids.append([tokenizer.specials.endOfText]);
    lengths.push(tokenizer.byteLengths(text, part), new Uint16Array(1));
  }
  const all = ids.toArray();
  const byteLengths = new Uint16Array(all.length);
  let offset = 0;
  for (const part of lengths) {
    byteLengths.set(part, offset);
    offset += part.length;
  }
  return { ids: all, byteLengths };
}
