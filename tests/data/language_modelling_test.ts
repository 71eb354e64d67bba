import {
  deepStrictEqual,
  equal,
  notDeepStrictEqual,
  ok,
  rejects,
  throws,
} from "node:assert/strict";
import { bitsPerByte, perplexity } from "../../data/bits_per_byte.ts";
import { type CorpusSplit, splitSha256 } from "../../data/corpus.ts";
import { LanguageModellingData } from "../../data/language_modelling.ts";
import { tokenizeCorpus } from "../../data/tokenized_corpus.ts";
import { trainBytePair } from "../../data/tokenizers/bpe_trainer.ts";
import { ByteTokenizer } from "../../data/tokenizers/byte.ts";
import { MemoryStore } from "./memory_store.ts";

async function makeSplit(...texts: string[]): Promise<CorpusSplit> {
  const documents = texts.map((text, i) => ({ id: `d${i}`, text }));
  const sha256 = await splitSha256(documents);
  return { corpus: "c", split: "train", documents, sha256, trust: "local" };
}

const BYTES = new ByteTokenizer();
const TOKENS = await tokenizeCorpus(await makeSplit("abcd", "", "efghij"), BYTES);
// a b c d | end | end | e f g h i j | end: 13 tokens, 10 bytes.

Deno.test("tokenizeCorpus() ends every document and counts its bytes", () => {
  deepStrictEqual([...TOKENS.ids], [97, 98, 99, 100, 256, 256, 101, 102, 103, 104, 105, 106, 256]);
  deepStrictEqual([...TOKENS.byteLengths], [1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 0]);
});

Deno.test("LanguageModellingData shifts the targets by one and drops the last partial block", () => {
  const data = new LanguageModellingData(TOKENS, { blockLength: 5 });
  equal(data.blockCount, 2);
  const [batch] = data.batches({ batchSize: 2, shuffle: false });
  deepStrictEqual([...batch.inputs], [97, 98, 99, 100, 256, 256, 101, 102, 103, 104]);
  deepStrictEqual([...batch.targets], [98, 99, 100, 256, 256, 101, 102, 103, 104, 105]);
  equal(batch.predictedTokens, 10);
  equal(batch.predictedBytes, 8);
  equal(data.predictedBytes, 8);
});

Deno.test("LanguageModellingData predicts inside the block only, where asked to", () => {
  const data = new LanguageModellingData(TOKENS, { blockLength: 5, targets: "inside" });
  const [batch] = data.batches({ batchSize: 2, shuffle: false });
  deepStrictEqual([...batch.targets], [98, 99, 100, 256, -1, 101, 102, 103, 104, -1]);
  equal(data.predictedTokens, 8);
  equal(data.predictedBytes, 7);
});

Deno.test("LanguageModellingData predicts the token a horizon ahead", () => {
  const data = new LanguageModellingData(TOKENS, { blockLength: 5, horizon: 3 });
  const [batch] = data.batches({ batchSize: 2, shuffle: false });
  deepStrictEqual([...batch.targets], [100, 256, 256, 101, 102, 103, 104, 105, 106, 256]);
  equal(data.predictedTokens, 10);
  const inside = new LanguageModellingData(TOKENS, {
    blockLength: 5,
    horizon: 3,
    targets: "inside",
  });
  const [block] = inside.batches({ batchSize: 1, shuffle: false });
  deepStrictEqual([...block.targets], [100, 256, -1, -1, -1]);
  // The stream ends before the last targets of its last block.
  const late = new LanguageModellingData(TOKENS, { blockLength: 6, horizon: 3 });
  const [, last] = late.batches({ batchSize: 1, shuffle: false });
  deepStrictEqual([...last.targets], [104, 105, 106, 256, -1, -1]);
  throws(() => new LanguageModellingData(TOKENS, { blockLength: 5, horizon: 0 }), RangeError);
});

Deno.test("LanguageModellingData leaves out the target that does not exist", () => {
  const data = new LanguageModellingData(TOKENS, { blockLength: 13 });
  const [batch] = data.batches({ batchSize: 1 });
  deepStrictEqual([...batch.targets], [...TOKENS.ids.subarray(1), -1]);
  equal(data.predictedTokens, 12);
  equal(data.predictedBytes, 9);
});

Deno.test("LanguageModellingData pads or drops the last batch", () => {
  const data = new LanguageModellingData(TOKENS, { blockLength: 4 });
  const padded = [...data.batches({ batchSize: 2, shuffle: false })];
  equal(padded.length, 2);
  deepStrictEqual([...padded[1].inputs], [103, 104, 105, 106, 256, 256, 256, 256]);
  deepStrictEqual([...padded[1].targets], [104, 105, 106, 256, -1, -1, -1, -1]);
  equal(padded[1].predictedTokens, 4);
  equal([...data.batches({ batchSize: 2, lastBatch: "drop" })].length, 1);
  equal(data.stepsPerEpoch(2), 2);
  equal(data.stepsPerEpoch(2, "drop"), 1);
});

const LONG = new LanguageModellingData(
  await tokenizeCorpus(await makeSplit("The quick brown fox. ".repeat(40)), BYTES),
  { blockLength: 8 },
);

Deno.test("LanguageModellingData gives each block once per epoch, in an order of its own", () => {
  const epochs = [0, 1].map((epoch) => [...LONG.batches({ batchSize: 4, epoch, seed: 9 })]);
  notDeepStrictEqual(epochs[0], epochs[1]);
  deepStrictEqual([...LONG.batches({ batchSize: 4, epoch: 1, seed: 9 })], epochs[1]);
  notDeepStrictEqual([...LONG.batches({ batchSize: 4, epoch: 1, seed: 8 })], epochs[1]);
  for (const batches of epochs) {
    equal(batches.reduce((sum, batch) => sum + batch.predictedTokens, 0), LONG.predictedTokens);
    equal(batches.reduce((sum, batch) => sum + batch.predictedBytes, 0), LONG.predictedBytes);
  }
  const order = [...LONG.blockOrder(1, 9)].sort((a, b) => a - b);
  deepStrictEqual(order, Array.from({ length: LONG.blockCount }, (_, i) => i));
});

Deno.test("LanguageModellingData resumes at any step with the same batches", () => {
  const whole = [...LONG.batches({ batchSize: 3, epoch: 2, seed: 4 })];
  const rest = [...LONG.batches({ batchSize: 3, epoch: 2, seed: 4, startStep: 10 })];
  equal(rest[0].step, 10);
  deepStrictEqual(rest, whole.slice(10));
});

Deno.test("LanguageModellingData refuses impossible sizes", () => {
  throws(() => new LanguageModellingData(TOKENS, { blockLength: 14 }), /has 13 tokens/);
  throws(() => new LanguageModellingData(TOKENS, { blockLength: 0 }), /blockLength is 0/);
  throws(() => [...LONG.batches({ batchSize: 1.5 })], /batchSize is 1.5/);
  throws(() => [...LONG.batches({ batchSize: 1, startStep: -1 })], /startStep is -1/);
});

Deno.test("bitsPerByte() of uniform guessing is the same for every tokenizer of equal cost", async () => {
  // A model that gives each byte the probability 1/256 costs 8 bits per byte, whatever the pieces.
  const text = "to be or not to be, that is the question; ".repeat(30);
  const split = await makeSplit(text);
  for (const tokenizer of [BYTES, trainBytePair([text], { vocabSize: 280 })]) {
    const tokens = await tokenizeCorpus(split, tokenizer);
    const data = new LanguageModellingData(tokens, { blockLength: 16 });
    let nats = 0;
    for (const { targets } of data.batches({ batchSize: 2 })) {
      const ids = targets.filter((id) => id >= 0 && id !== tokens.endOfText);
      const lengths = tokenizer.byteLengths("", ids);
      nats += lengths.reduce((sum, length) => sum + length, 0) * Math.log(256);
    }
    ok(Math.abs(bitsPerByte(nats, data.predictedBytes) - 8) < 1e-9);
  }
});

Deno.test("bitsPerByte() and perplexity() follow their definitions", () => {
  equal(bitsPerByte(100 * Math.LN2, 50), 2);
  ok(Math.abs(perplexity(100 * Math.log(7), 100) - 7) < 1e-12);
  throws(() => bitsPerByte(1, 0), RangeError);
  throws(() => perplexity(1, 0), RangeError);
});

Deno.test("tokenizeCorpus() keeps its result and rebuilds a damaged one with a warning", async () => {
  const store = new MemoryStore();
  const warnings: string[] = [];
  const options = { store, warn: (line: string) => warnings.push(line) };
  const split = await makeSplit("hello", "world");
  const first = await tokenizeCorpus(split, BYTES, options);
  // An unreadable split proves that the second result comes from the cache.
  const unreadable = { ...split, documents: [] };
  deepStrictEqual(await tokenizeCorpus(unreadable, BYTES, options), first);
  const [path] = [...store.files.keys()];
  const good = store.files.get(path)!;
  for (const at of [0, 40, 66, 70, good.length - 1]) {
    const damaged = good.slice();
    damaged[at] ^= 4;
    store.files.set(path, damaged);
    deepStrictEqual(await tokenizeCorpus(split, BYTES, options), first);
  }
  store.files.set(path, good.slice(0, 50));
  deepStrictEqual(await tokenizeCorpus(split, BYTES, options), first);
  equal(warnings.length, 6);
});

Deno.test("tokenizeCorpus() keeps texts and tokenizers apart", async () => {
  const store = new MemoryStore();
  await tokenizeCorpus(await makeSplit("hello"), BYTES, { store });
  await tokenizeCorpus(await makeSplit("hello!"), BYTES, { store });
  await tokenizeCorpus(await makeSplit("hello"), trainBytePair([], { vocabSize: 257 }), { store });
  equal(store.files.size, 3);
  const failing = new MemoryStore();
  failing.writeFileAtomic = () => Promise.reject(new Error("disk full"));
  await rejects(tokenizeCorpus(await makeSplit("x"), BYTES, { store: failing }), /disk full/);
});
