import assert from "node:assert/strict";
import { encodeFloats, FloatTable } from "../../../train/convert/float_table.ts";
import {
  globalEmbeddings,
  randomGlobalEmbeddings,
} from "../../../train/convert/global_embeddings.ts";
import { closedForm } from "../../_helpers/closed_form.ts";

function table(name: string, rows: number, width: number): FloatTable {
  const data = new Uint8Array(closedForm(name, [rows, width]).buffer);
  return new FloatTable({ dtype: "F32", shape: [rows, width], data }, name);
}

const words = table("words", 60, 4);
const positions = new Float32Array(512 * 4);
const tokenType = Float32Array.of(1, 2, 3, 4);

Deno.test("globalEmbeddings() puts the first token in row 0 and the mask in the others", () => {
  const [values, first, mask] = [
    globalEmbeddings({ words, first: 7, mask: 9, positions, tokenType }),
    words.row(7),
    words.row(9),
  ];
  assert.deepEqual(values.subarray(0, 4), first.map((v, c) => v + tokenType[c]));
  for (const row of [1, 511]) {
    assert.deepEqual(
      values.subarray(row * 4, row * 4 + 4),
      mask.map((v, c) => v + tokenType[c]),
    );
  }
});

Deno.test("randomGlobalEmbeddings() has the vocabulary's mean and covariance", () => {
  const values = randomGlobalEmbeddings({ words, first: 7, positions }, 5);
  assert.deepEqual(values.subarray(0, 4), words.row(7));
  const rows = Array.from({ length: 511 }, (_, i) => values.subarray(4 * (i + 1), 4 * (i + 2)));
  const vocabulary = Array.from({ length: 60 }, (_, v) => words.row(v));
  const [found, expected] = [moments(rows), moments(vocabulary)];
  for (let a = 0; a < 4; a++) {
    const deviation = Math.sqrt(expected.covariance[a][a]);
    assert.ok(Math.abs(found.mean[a] - expected.mean[a]) < 4 * deviation / Math.sqrt(511));
    for (let b = 0; b < 4; b++) {
      const scale = deviation * Math.sqrt(expected.covariance[b][b]);
      const error = Math.abs(found.covariance[a][b] - expected.covariance[a][b]) / scale;
      // 4 standard errors of a covariance of 511 normal pairs.
      assert.ok(error < 4 * Math.sqrt(2 / 511), `${a} ${b}: ${error}`);
    }
  }
});

Deno.test("randomGlobalEmbeddings() follows its seed and adds the token type once, or twice to row 0", () => {
  const sources = { words, first: 7, positions };
  const plain = randomGlobalEmbeddings(sources, 5);
  assert.deepEqual(randomGlobalEmbeddings(sources, 5), plain);
  assert.notDeepEqual(randomGlobalEmbeddings(sources, 6), plain);
  const once = randomGlobalEmbeddings({ ...sources, tokenType }, 5);
  const twice = randomGlobalEmbeddings({ ...sources, tokenType }, 5, true);
  const close = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-6, `${a} ${b}`);
  for (let c = 0; c < 4; c++) {
    close(once[c], plain[c] + tokenType[c]);
    close(twice[c], plain[c] + 2 * tokenType[c]);
    close(once[40 + c], plain[40 + c] + tokenType[c]);
  }
  assert.deepEqual(twice.subarray(4), once.subarray(4));
});

function moments(rows: ArrayLike<number>[]) {
  const mean = [0, 1, 2, 3].map((c) => rows.reduce((sum, row) => sum + row[c], 0) / rows.length);
  const covariance = mean.map((_, a) =>
    mean.map((_, b) =>
      rows.reduce((sum, row) => sum + (row[a] - mean[a]) * (row[b] - mean[b]), 0) /
      (rows.length - 1)
    )
  );
  return { mean, covariance };
}

Deno.test("FloatTable and encodeFloats() read and round half precision", () => {
  const values = Float32Array.of(
    1,
    -2.5,
    1 / 3,
    1e-8,
    65504,
    3.14159,
    1 + 2 ** -8,
    1 + 3 * 2 ** -8,
  );
  const f16 = new FloatTable(
    { dtype: "F16", shape: [2, 4], data: encodeFloats(values, "F16") },
    "t",
  );
  assert.deepEqual([...f16.row(0)], [1, -2.5, 0.333251953125, 0]);
  assert.equal(f16.row(1)[0], 65504);
  const data = encodeFloats(values, "BF16");
  const bf16 = new FloatTable({ dtype: "BF16", shape: [2, 4], data }, "t");
  assert.deepEqual([...bf16.row(0)].slice(0, 3), [1, -2.5, 0.333984375]);
  // Ties go to the even neighbour.
  assert.deepEqual([...bf16.row(1)].slice(2), [1, 1 + 4 * 2 ** -8]);
  const odd = encodeFloats(Float32Array.of(NaN, Infinity, -Infinity, 3.4e38), "BF16");
  const read = new FloatTable({ dtype: "BF16", shape: [1, 4], data: odd }, "t").row(0);
  assert.deepEqual([...read].slice(0, 3), [NaN, Infinity, -Infinity]);
  assert.equal(read[3], Infinity);
});

Deno.test("FloatTable refuses what is no matrix of floating-point numbers", () => {
  const data = new Uint8Array(16);
  for (
    const [dtype, shape, message] of [
      ["F32", [4], /shape \[4\], expected a matrix/],
      ["I64", [1, 2], /type I64, expected F32, F16 or BF16/],
      ["F64", [1, 2], /type F64/],
      ["F32", [2, 3], /has 16 bytes, expected 24/],
    ] as const
  ) assert.throws(() => new FloatTable({ dtype, shape, data }, "t"), message);
});
