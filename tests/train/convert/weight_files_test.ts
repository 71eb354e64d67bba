import assert from "node:assert/strict";
import {
  checkIndex,
  convertedIndex,
  indexedFiles,
  planWeightFiles,
} from "../../../train/convert/mod.ts";
import { SafetensorsError } from "../../../train/safetensors_error.ts";
import type { SafetensorsLayout } from "../../../train/safetensors_layout.ts";

const place = (begin: number, count: number) => ({
  dtype: "F32",
  shape: [count],
  begin,
  end: begin + 4 * count,
});

const LAYOUTS = new Map<string, SafetensorsLayout>([
  ["one.safetensors", { tensors: new Map([["a", place(100, 2)]]), metadata: { origin: "x" } }],
  ["two.safetensors", {
    tensors: new Map([["b", place(50, 1)], ["c", place(54, 3)], ["ids", place(66, 1)]]),
    metadata: {},
  }],
]);

const table = (count: number) => ({
  dtype: "F32",
  shape: [count],
  data: new Uint8Array(4 * count),
});
const CHANGE = {
  replaced: new Map([["new", table(5)], ["c", table(6)]]),
  dropped: new Set(["ids"]),
};
const INDEX = JSON.stringify({
  metadata: { total_size: 0, other: 1 },
  weight_map: { a: "one.safetensors", b: "two.safetensors", c: "two.safetensors" },
});

Deno.test("planWeightFiles() copies what is untouched and adds beside what is changed", () => {
  const [one, two] = planWeightFiles(LAYOUTS, CHANGE);
  assert.deepEqual(one.pieces.slice(1), [{ file: "one.safetensors", begin: 100, end: 108 }]);
  assert.deepEqual(two.pieces.slice(1), [
    { file: "two.safetensors", begin: 50, end: 54 },
    { data: new Uint8Array(24) },
    { data: new Uint8Array(20) },
  ]);
  const [header] = two.pieces as [{ data: Uint8Array }];
  const json = JSON.parse(new TextDecoder().decode(header.data.subarray(8)));
  assert.deepEqual(json, {
    __metadata__: { format: "pt" },
    b: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
    c: { dtype: "F32", shape: [6], data_offsets: [4, 28] },
    new: { dtype: "F32", shape: [5], data_offsets: [28, 48] },
  });
});

Deno.test("convertedIndex() lists the new tensors and counts their bytes", () => {
  assert.deepEqual(convertedIndex(INDEX, LAYOUTS, CHANGE), {
    metadata: { total_size: 8 + 4 + 24 + 20, other: 1 },
    weight_map: {
      a: "one.safetensors",
      b: "two.safetensors",
      c: "two.safetensors",
      new: "two.safetensors",
    },
  });
});

Deno.test("indexedFiles() takes names of the same folder alone", () => {
  assert.deepEqual(indexedFiles(INDEX), ["one.safetensors", "two.safetensors"]);
  for (
    const file of [
      "../x.safetensors",
      "/x.safetensors",
      "a/b.safetensors",
      ".safetensors",
      "x.bin",
      7,
      null,
    ]
  ) {
    const text = JSON.stringify({ weight_map: { a: file } });
    assert.throws(() => indexedFiles(text), SafetensorsError, `${file}`);
  }
  for (const text of ["{", "[]", "null", "{}", '{"weight_map":[]}', '{"weight_map":{}}']) {
    assert.throws(() => indexedFiles(text), SafetensorsError, text);
  }
});

Deno.test("checkIndex() refuses a tensor that is elsewhere or twice", () => {
  checkIndex(INDEX, LAYOUTS);
  const elsewhere = JSON.stringify({ weight_map: { a: "two.safetensors" } });
  assert.throws(() => checkIndex(elsewhere, LAYOUTS), /two\.safetensors has no tensor a/);
  const twice = new Map([...LAYOUTS, ["three.safetensors", LAYOUTS.get("one.safetensors")!]]);
  assert.throws(() => checkIndex(INDEX, twice), /tensor a is in one.* and in three/);
});
