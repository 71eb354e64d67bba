import { deepStrictEqual, equal, notEqual, throws } from "node:assert/strict";
import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import fc from "fast-check";
import { BytePairTokenizer } from "../../../data/tokenizers/bpe.ts";
import { trainBytePair } from "../../../data/tokenizers/bpe_trainer.ts";
import { END_OF_TEXT } from "../../../data/tokenizers/tokenizer.ts";
import { SAMPLE_TEXTS, TRAINING_TEXT } from "./sample_texts.ts";

const TOKENIZER = trainBytePair([TRAINING_TEXT], { vocabSize: 300 });
const LIBRARY = new LibraryTokenizer(TOKENIZER.toTokenizerJson(), {});

/** Merges of a few words, worked out by counting every pair anew after each merge. */
function referenceMerges(words: Map<string, number>, count: number): [string, string][] {
  const rows = [...words].map(([word, n]) => ({ parts: [...word], n }));
  const order: string[] = [...new Set([...words.keys()].flatMap((word) => [...word]))].sort();
  const merges: [string, string][] = [];
  while (merges.length < count) {
    const counts = new Map<string, number>();
    for (const { parts, n } of rows) {
      for (let i = 0; i + 1 < parts.length; i++) {
        const pair = `${parts[i]} ${parts[i + 1]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + n);
      }
    }
    const rank = (pair: string) => pair.split(" ").map((part) => order.indexOf(part));
    const best = [...counts].sort(([a, m], [b, n]) =>
      n - m || rank(a)[0] - rank(b)[0] || rank(a)[1] - rank(b)[1]
    )[0];
    const [left, right] = best[0].split(" ");
    merges.push([left, right]);
    if (!order.includes(left + right)) {
      order.push(left + right);
    }
    for (const row of rows) {
      const next: string[] = [];
      for (let i = 0; i < row.parts.length; i++) {
        if (row.parts[i] === left && row.parts[i + 1] === right) {
          next.push(left + row.parts[++i]);
        } else next.push(row.parts[i]);
      }
      row.parts = next;
    }
  }
  return merges;
}

Deno.test("trainBytePair() learns the merges that counting anew each time gives", () => {
  const words = new Map([["low", 5], ["lower", 2], ["newest", 6], ["widest", 3], ["aaaa", 4]]);
  // Line ends part the words without a space becoming part of them; a lone "\n" has no pair.
  const text = [...words].flatMap(([word, n]) => Array(n).fill(word)).join("\n");
  const tokenizer = trainBytePair([text], { vocabSize: 257 + 12, minFrequency: 1 });
  deepStrictEqual(tokenizer.toTokenizerJson().model.merges, referenceMerges(words, 12));
});

Deno.test("trainBytePair() is deterministic and does not depend on how the text is cut", () => {
  const again = trainBytePair(TRAINING_TEXT.split(/(?=\n)/), { vocabSize: 300 });
  equal(again.fingerprint(), TOKENIZER.fingerprint());
  equal(TOKENIZER.vocabSize, 300);
  notEqual(trainBytePair([TRAINING_TEXT], { vocabSize: 299 }).fingerprint(), again.fingerprint());
});

Deno.test("trainBytePair() stops when no pair is frequent enough", () => {
  equal(trainBytePair(["abc"], { vocabSize: 1000 }).vocabSize, 257);
  equal(trainBytePair(["abc"], { vocabSize: 1000, minFrequency: 1 }).vocabSize, 259);
  throws(() => trainBytePair([], { vocabSize: 256 }), /at least 257/);
});

Deno.test("BytePairTokenizer gives every text back", () => {
  for (const text of SAMPLE_TEXTS) equal(TOKENIZER.decode(TOKENIZER.encode(text)), text);
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
      const ids = TOKENIZER.encode(text);
      const bytes = new TextEncoder().encode(text).length;
      equal(TOKENIZER.decode(ids), text);
      equal(TOKENIZER.byteLengths(text, ids).reduce((sum, n) => sum + n, 0), bytes);
    }),
    { seed: 1, numRuns: 200 },
  );
});

Deno.test("BytePairTokenizer gives the ids of @huggingface/tokenizers", () => {
  const same = (text: string) => {
    const expected = text === "" ? [] : LIBRARY.encode(text, { add_special_tokens: false }).ids;
    deepStrictEqual([...TOKENIZER.encode(text)], expected, JSON.stringify(text));
  };
  // The library reads the special form in running text; this suite never does.
  for (const text of SAMPLE_TEXTS) if (!text.includes(END_OF_TEXT)) same(text);
  same(TRAINING_TEXT);
  fc.assert(fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), same), {
    seed: 2,
    numRuns: 200,
  });
});

Deno.test("BytePairTokenizer never makes the end-of-text token from a text", () => {
  equal(TOKENIZER.encode(END_OF_TEXT).includes(TOKENIZER.specials.endOfText), false);
  equal(TOKENIZER.decode([TOKENIZER.specials.endOfText]), END_OF_TEXT);
  equal(TOKENIZER.byteLengths("", Int32Array.of(TOKENIZER.specials.endOfText))[0], 0);
});

Deno.test("BytePairTokenizer takes a long unbroken run in reasonable time", () => {
  const text = "ab".repeat(200_000);
  const started = performance.now();
  equal(TOKENIZER.decode(TOKENIZER.encode(text)), text);
  const elapsed = performance.now() - started;
  equal(elapsed < 5000, true, `${elapsed} ms`);
});

Deno.test("BytePairTokenizer.fromTokenizerJson() reads back what was written", () => {
  const json = JSON.parse(JSON.stringify(TOKENIZER.toTokenizerJson()));
  const read = BytePairTokenizer.fromTokenizerJson(json);
  equal(read.fingerprint(), TOKENIZER.fingerprint());
  deepStrictEqual(read.encode(TRAINING_TEXT), TOKENIZER.encode(TRAINING_TEXT));
});

Deno.test("BytePairTokenizer.fromTokenizerJson() refuses other kinds and broken files", () => {
  const json = TOKENIZER.toTokenizerJson();
  const read = (changes: object) => BytePairTokenizer.fromTokenizerJson({ ...json, ...changes });
  throws(() => read({ normalizer: { type: "NFC" } }), /openTokenizerJson/);
  throws(() => read({ pre_tokenizer: { type: "Whitespace" } }), /openTokenizerJson/);
  throws(() => read({ added_tokens: [] }), /special token/);
  throws(() => read({ model: { ...json.model, merges: [["a", "missing"]] } }), /not in the/);
  throws(
    () => read({ model: { ...json.model, vocab: { ...json.model.vocab, x: 7 } } }),
    RangeError,
  );
  throws(() => TOKENIZER.decode([300]), /id is 300/);
});
