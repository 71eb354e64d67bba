/**
 * Corpora, tokenizers, batches and the hub loader.
 *
 * ```ts ignore
 * const corpus = openCorpus("state-of-the-union", { store: host });
 * const train = await corpus.load("train");
 * const tokenizer = await openTokenizer("bpe", { train, vocabSize: 8192, store: host });
 * const tokens = await tokenizeCorpus(train, tokenizer, { store: host });
 * const data = new LanguageModellingData(tokens, { blockLength: 1024 });
 * for (const { inputs, targets } of data.batches({ batchSize: 8, epoch: 0, seed: 1 })) {
 *   // inputs and targets are [8, 1024]
 * }
 * ```
 * @module
 */

export * from "./bits_per_byte.ts";
export * from "./corpora/maths_text.ts";
export * from "./corpora/moby_dick.ts";
export * from "./corpora/open_corpus.ts";
export * from "./corpora/reasoning_text.ts";
export * from "./corpora/state_of_the_union.ts";
export * from "./corpora/text_file.ts";
export * from "./corpora/wikitext.ts";
export {
  type Corpus,
  type CorpusSplit,
  countSplit,
  type Document,
  type SplitCounts,
  splitSha256,
  type Trust,
  utf8Length,
} from "./corpus.ts";
export type { DataStore, NetworkStore, Warn } from "./data_store.ts";
export * from "./errors.ts";
export * from "./hub.ts";
export * from "./language_modelling.ts";
export * from "./manifest.ts";
export * from "./npm_sources.ts";
export * from "./random.ts";
export * from "./tasks/mod.ts";
export * from "./tokenized_corpus.ts";
export * from "./tokenizers/bpe.ts";
export * from "./tokenizers/bpe_trainer.ts";
export * from "./tokenizers/byte.ts";
export * from "./tokenizers/gpt2.ts";
export * from "./tokenizers/hub_tokenizer.ts";
export * from "./tokenizers/open_tokenizer.ts";
export { END_OF_TEXT, type SpecialTokens, type Tokenizer } from "./tokenizers/tokenizer.ts";
export * from "./tokenizers/tokenizer_json.ts";
export * from "./tokenizers/word_level.ts";
export * from "./truncation/mod.ts";
