import { deepStrictEqual, equal, ok, rejects, throws } from "node:assert/strict";
import fc from "fast-check";
import { splitSha256 } from "../../../data/corpus.ts";
import { trainBytePair } from "../../../data/tokenizers/bpe_trainer.ts";
import { ByteTokenizer } from "../../../data/tokenizers/byte.ts";
import { openGpt2Tokenizer } from "../../../data/tokenizers/gpt2.ts";
import { openHubTokenizer } from "../../../data/tokenizers/hub_tokenizer.ts";
import { T5_TOKENIZER } from "../../../data/manifest.ts";
import { openTokenizer } from "../../../data/tokenizers/open_tokenizer.ts";
import { spreadByteLengths } from "../../../data/tokenizers/tokenizer.ts";
import { openTokenizerJson } from "../../../data/tokenizers/tokenizer_json.ts";
import { trainWordLevel } from "../../../data/tokenizers/word_level.ts";
import { MemoryStore } from "../memory_store.ts";
import { SAMPLE_TEXTS, TRAINING_TEXT } from "./sample_texts.ts";

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function byteCount(text: string): number {
  return new TextEncoder().encode(text).length;
}

Deno.test("ByteTokenizer gives the UTF-8 bytes", () => {
  const tokenizer = new ByteTokenizer();
  deepStrictEqual([...tokenizer.encode("aé")], [97, 195, 169]);
  for (const text of SAMPLE_TEXTS) equal(tokenizer.decode(tokenizer.encode(text)), text);
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
      (text) => equal(tokenizer.decode(tokenizer.encode(text)), text),
    ),
    { seed: 1 },
  );
  equal(tokenizer.decode([104, 105, 256]), "hi<|endoftext|>");
  throws(() => tokenizer.decode([257]), /below 257/);
});

Deno.test("openGpt2Tokenizer() gives GPT-2's ids", async () => {
  const tokenizer = await openGpt2Tokenizer();
  equal(tokenizer.vocabSize, 50257);
  equal(tokenizer.specials.endOfText, 50256);
  deepStrictEqual([...tokenizer.encode("Hello world")], [15496, 995]);
  deepStrictEqual([...tokenizer.encode("Hello, my dog is cute")], [
    15496,
    11,
    616,
    3290,
    318,
    13779,
  ]);
  equal(tokenizer.encode("<|endoftext|>").includes(50256), false);
  for (const text of SAMPLE_TEXTS) {
    const ids = tokenizer.encode(text);
    equal(tokenizer.decode(ids), text);
    equal(sum(tokenizer.byteLengths(text, ids)), byteCount(text));
  }
  equal(tokenizer.fingerprint(), (await openGpt2Tokenizer()).fingerprint());
});

Deno.test("trainWordLevel() keeps the most frequent words and maps the rest to unknown", () => {
  const tokenizer = trainWordLevel(["b b b a a c", "a c d"], { vocabSize: 5 });
  deepStrictEqual(tokenizer.words, ["<|endoftext|>", "<unk>", "a", "b", "c"]);
  deepStrictEqual([...tokenizer.encode("a d  b\nzz")], [2, 1, 3, 1, 1]);
  equal(tokenizer.decode(tokenizer.encode("c a b")), "c a b");
  equal(tokenizer.lossless, false);
});

Deno.test("trainWordLevel() splits words, apostrophes, numbers, signs and line ends", () => {
  const text = "Don't stop, it’s 12:30!\nNaïve";
  const tokenizer = trainWordLevel([text], { vocabSize: 100 });
  const words = [...tokenizer.encode(text)].map((id) => tokenizer.words[id]);
  deepStrictEqual(words, ["Don't", "stop", ",", "it’s", "12", ":", "30", "!", "\n", "Naïve"]);
});

Deno.test("WordLevelTokenizer counts every byte of a text once", () => {
  const tokenizer = trainWordLevel([TRAINING_TEXT], { vocabSize: 50 });
  for (const text of ["  a b\t\n c  ", "漢字 é 😀!", TRAINING_TEXT]) {
    const ids = tokenizer.encode(text);
    equal(sum(tokenizer.byteLengths(text, ids)), byteCount(text));
  }
});

Deno.test("spreadByteLengths() adds up to the bytes", () => {
  deepStrictEqual([...spreadByteLengths(10, 4)], [2, 3, 2, 3]);
  equal(spreadByteLengths(5, 0).length, 0);
  throws(() => spreadByteLengths(70_000, 1), /65535/);
});

Deno.test("openTokenizerJson() opens byte-level BPE with the ids of our own encoder", () => {
  const own = trainBytePair([TRAINING_TEXT], { vocabSize: 350 });
  const opened = openTokenizerJson(own.toTokenizerJson(), { name: "own" });
  equal(opened.vocabSize, own.vocabSize);
  equal(opened.lossless, true);
  deepStrictEqual(opened.specials, own.specials);
  // Long enough to be fed to the library in several calls.
  const text = TRAINING_TEXT.repeat(20);
  deepStrictEqual(opened.encode(text), own.encode(text));
  equal(opened.decode(opened.encode(text)), text);
  equal(sum(opened.byteLengths(text, opened.encode(text))), byteCount(text));
});

Deno.test("openTokenizerJson() feeds a Unigram model piecewise with unchanged ids", () => {
  const letters = [..."abcdefghijklmnopqrstuvwxyz.,"].map((letter) => [letter, -6]);
  const pieces = [["<unk>", 0], ["</s>", 0], ["▁", -4], ["▁the", -2], ["he", -3], ["▁s", -3]];
  const json = {
    added_tokens: [
      { id: 0, content: "<unk>", special: true },
      { id: 1, content: "</s>", special: true },
    ],
    normalizer: null,
    pre_tokenizer: { type: "Metaspace", replacement: "▁", add_prefix_space: true },
    post_processor: null,
    decoder: { type: "Metaspace", replacement: "▁", add_prefix_space: true },
    model: { type: "Unigram", unk_id: 0, vocab: [...pieces, ...letters] },
  };
  const tokenizer = openTokenizerJson(json, { name: "unigram" });
  equal(tokenizer.specials.endOfText, 1);
  equal(tokenizer.lossless, false);
  const sentence = "the sea, she said, is the sea.";
  const once = [...tokenizer.encode(sentence)];
  equal(once.length < sentence.length, true);
  // Every sentence begins with its own metaspace, so the whole is the repetition of one.
  const whole = tokenizer.encode(Array(500).fill(sentence).join(" "));
  deepStrictEqual([...whole], Array(500).fill(once).flat());
});

Deno.test("openHubTokenizer() opens a tokenizer.json and says how far it is trusted", async () => {
  const own = trainBytePair([TRAINING_TEXT], { vocabSize: 300 });
  const store = new MemoryStore();
  store.fetch = () => Promise.resolve(Response.json(own.toTokenizerJson()));
  const { tokenizer, trust } = await openHubTokenizer(T5_TOKENIZER, { store });
  deepStrictEqual(tokenizer.encode(TRAINING_TEXT), own.encode(TRAINING_TEXT));
  equal(trust, "first-use");
  equal(tokenizer.name, "google-t5/t5-small");
});

Deno.test("openTokenizerJson() asks for an end-of-text token it cannot find", () => {
  const json = trainBytePair([TRAINING_TEXT], { vocabSize: 300 }).toTokenizerJson();
  throws(() => openTokenizerJson(json, { name: "x", endOfText: "</s>" }), /end-of-text token/);
});

Deno.test("openTokenizer() trains once and rebuilds a damaged cache entry with a warning", async () => {
  const documents = [{ id: "a", text: TRAINING_TEXT }];
  const sha256 = await splitSha256(documents);
  const train = { corpus: "c", split: "train", documents, sha256, trust: "local" } as const;
  const store = new MemoryStore();
  const warnings: string[] = [];
  const options = { train, vocabSize: 300, store, warn: (line: string) => warnings.push(line) };
  const first = await openTokenizer("bpe", options);
  const [path] = [...store.files.keys()];
  equal((await openTokenizer("bpe", options)).fingerprint(), first.fingerprint());
  equal(warnings.length, 0);
  const text = new TextDecoder().decode(store.files.get(path));
  for (
    const damaged of [text.slice(0, 100), text.replace('"merges":[[', '"merges":[["a","b"],[')]
  ) {
    await store.writeFileAtomic(path, damaged);
    equal((await openTokenizer("bpe", options)).fingerprint(), first.fingerprint());
  }
  equal(warnings.length, 2);
  ok(warnings.every((line) => line.includes(path)));
  await rejects(openTokenizer("word"), /needs the training split/);
  await rejects(openTokenizer("nope" as never), /expected one of byte, bpe/);
});
