import assert from "node:assert/strict";
import { convertWeights } from "../../../benchmarks/lsg/convert_weights.ts";
import { encodeInput } from "../../../benchmarks/lsg/encode_inputs.ts";
import { pieceOf } from "../../../benchmarks/lsg/extrapolation.ts";
import { trainEncoderTokenizer } from "../../../benchmarks/encoder_training/encoder_tokenizer.ts";

const TEXT = "The quick brown fox jumps over the lazy dog again and again and again.";
const tokenizer = trainEncoderTokenizer([TEXT], 300);
const { cls, sep } = tokenizer;

Deno.test("encodeInput() cuts a text and keeps its ends", () => {
  const { ids, label } = encodeInput(tokenizer, { id: "a", text: TEXT.repeat(9), label: 2 }, 20);
  assert.deepEqual([ids.length, ids[0], ids.at(-1), label], [20, cls, sep, 2]);
});

Deno.test("encodeInput() gives both texts of a pair their half, and a short one's rest to the other", () => {
  const pair = (first: string, second: string) =>
    encodeInput(tokenizer, { id: "p", first, second, label: 1 }, 41);
  const long = TEXT.repeat(5);
  const { ids, secondFrom } = pair(long, long);
  assert.deepEqual([ids.length, secondFrom], [41, 21]);
  assert.deepEqual([ids[20], ids[40]], [sep, sep]);
  const short = tokenizer.encode("dog");
  const uneven = pair("dog", long);
  assert.deepEqual([uneven.ids.length, uneven.secondFrom], [41, short.length + 2]);
  assert.equal(pair(long, "dog").ids.length, 41);
});

Deno.test("encodeInput() keeps the answer and its place when the context is cut", () => {
  const example = (before: string, after: string) =>
    encodeInput(tokenizer, {
      ...{ id: "q", question: "who", answer: "the dog", group: "g", position: "late" as const },
      ...{ before, after },
    }, 60);
  const answer = tokenizer.encode("the dog");
  for (const [before, after] of [[TEXT, ""], [TEXT.repeat(6), TEXT], ["", TEXT.repeat(6)]]) {
    const { ids, span } = example(before, after);
    assert.ok(ids.length <= 60);
    assert.deepEqual(ids.slice(span![0], span![1] + 1), answer);
  }
  const { ids, span } = example(TEXT.repeat(6), TEXT.repeat(2));
  const share = span![0] / ids.length;
  assert.ok(share > 0.6 && share < 0.85, `the answer stands at ${share}`);
});

Deno.test("pieceOf() gives every part of an input between the same ends", () => {
  const ids = Int32Array.from({ length: 34 }, (_, i) => i);
  const input = { id: "a", label: 0, ids };
  const first = pieceOf(input, 10, 0).ids;
  assert.deepEqual([...first], [0, 1, 2, 3, 4, 5, 6, 7, 8, 33]);
  const seen = new Set([0, 1, 2, 3].flatMap((n) => [...pieceOf(input, 10, n).ids]));
  assert.equal(seen.size, 34);
  assert.equal(pieceOf(input, 40, 3), input);
});

Deno.test("convertWeights() tiles positions and makes globals of mask token, old position and token type", () => {
  const table = (rows: number, first: number) => ({
    shape: [rows, 2],
    data: Float32Array.from({ length: 2 * rows }, (_, i) => first + i),
  });
  const weights = new Map([
    ["embeddings.tokens", table(300, 1000)],
    ["embeddings.positions", table(16, 0)],
    ["embeddings.token_types", table(2, 5)],
    ["layer.0.norm", table(1, 3)],
  ]);
  const options = { length: 40, positionOffset: 0, tokenizer: { cls: 7, mask: 9 }, seed: 1 };
  const converted = convertWeights(weights, { ...options, addTokenType: true });
  const positions = converted.get("embeddings.positions")!;
  assert.deepEqual(positions.shape, [40, 2]);
  assert.deepEqual([...positions.data.subarray(2 * 33, 2 * 35)], [2, 3, 4, 5]);
  const globals = converted.get("embeddings.globals")!;
  assert.deepEqual(globals.shape, [512, 2]);
  // Row 0: token 7 at position 0 with type 0; row 1: the mask at position 2 (16 positions, so one global every 2).
  assert.deepEqual([...globals.data.subarray(0, 4)], [
    1014 + 0 + 5,
    1015 + 1 + 6,
    1018 + 4 + 5,
    1019 + 5 + 6,
  ]);
  assert.equal(converted.get("layer.0.norm"), weights.get("layer.0.norm"));
  const plain = convertWeights(weights, { ...options, addTokenType: false });
  assert.equal(plain.get("embeddings.globals")!.data[0], 1014);
  const again = convertWeights(converted, { ...options, addTokenType: true });
  assert.equal(again.get("embeddings.globals"), globals);
  assert.throws(() => convertWeights(new Map(), { ...options, addTokenType: true }), /missing/);
});
