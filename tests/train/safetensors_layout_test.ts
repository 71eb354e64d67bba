import assert from "node:assert/strict";
import { readSafetensors, writeSafetensors } from "../../train/safetensors.ts";
import { SafetensorsError } from "../../train/safetensors_error.ts";
import {
  encodeHeader,
  headerLength,
  LENGTH_BYTES,
  readLayout,
} from "../../train/safetensors_layout.ts";

const FILE = writeSafetensors(
  new Map([
    ["b", { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
    ["a", { shape: [], data: Int32Array.of(7) }],
    ["none", { shape: [0, 4], data: new Float32Array() }],
  ]),
  { format: "pt" },
);

function layout(bytes: Uint8Array) {
  const length = headerLength(bytes.subarray(0, LENGTH_BYTES), bytes.length, "f");
  return readLayout(bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length), bytes.length, "f");
}

/** A file of this header with `data` bytes after it. */
function file(header: unknown, data: number): Uint8Array {
  const json = new TextEncoder().encode(
    typeof header === "string" ? header : JSON.stringify(header),
  );
  const bytes = new Uint8Array(LENGTH_BYTES + json.length + data);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, LENGTH_BYTES);
  return bytes;
}

Deno.test("readLayout() tells where every tensor lies, in the order of the bytes", () => {
  const { tensors, metadata } = layout(FILE);
  assert.deepEqual([...tensors.keys()], ["b", "a", "none"]);
  const { begin, end, shape, dtype } = tensors.get("b")!;
  assert.deepEqual([shape, dtype, end - begin], [[2, 3], "F32", 24]);
  assert.deepEqual(
    new Float32Array(FILE.slice(begin, end).buffer),
    Float32Array.of(1, 2, 3, 4, 5, 6),
  );
  assert.deepEqual(metadata, { format: "pt" });
});

Deno.test("encodeHeader() begins a file that both readers read", () => {
  const header = encodeHeader([["x", { dtype: "BF16", shape: [3] }], ["y", {
    dtype: "F32",
    shape: [1],
  }]], {
    format: "pt",
  });
  assert.equal(header.length % 8, 0);
  const bytes = new Uint8Array(header.length + 10);
  bytes.set(header);
  assert.deepEqual([...layout(bytes).tensors.keys()], ["x", "y"]);
  assert.equal(readSafetensors(bytes).tensors.get("x")?.type, "BF16");
});

const tensor = (offsets: unknown, shape: unknown = [1], dtype: unknown = "F32") => ({
  dtype,
  shape,
  data_offsets: offsets,
});

for (
  const [name, bytes, message] of [
    ["an empty file", new Uint8Array(), /has 0 bytes, expected at least 8/],
    ["a file cut in its header", FILE.subarray(0, 20), /header claims .* but the file has 20/],
    ["a file cut in its data", FILE.subarray(0, -2), /its header describes/],
    ["bytes at the end", file({ a: tensor([0, 4]) }, 8), /has \d+ bytes, its header describes/],
    ["a header that is no JSON", file("{", 0), /header is not JSON/],
    ["a header that is a list", file([], 0), /header is no map of tensors/],
    ["a header of words", file("words", 0), /not JSON/],
    [
      "an unknown type",
      file({ a: tensor([0, 4], [1], "F128") }, 4),
      /type "F128", expected one of/,
    ],
    ["a type by prototype", file({ a: tensor([0, 4], [1], "toString") }, 4), /type "toString"/],
    [
      "a tensor named __proto__",
      file('{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4),
      /a tensor is named __proto__/,
    ],
    ["no entry", file({ a: 3 }, 4), /tensor a has type undefined/],
    ["a shape of fractions", file({ a: tensor([0, 4], [0.5]) }, 4), /no shape and data_offsets/],
    ["a negative shape", file({ a: tensor([0, 4], [-1]) }, 4), /no shape and data_offsets/],
    ["a shape that is no list", file({ a: tensor([0, 4], "1") }, 4), /no shape and data_offsets/],
    ["one offset", file({ a: tensor([0]) }, 4), /no shape and data_offsets/],
    ["offsets backwards", file({ a: tensor([4, 0]) }, 4), /spans bytes 4 to 0/],
    ["a shape of another size", file({ a: tensor([0, 4], [2]) }, 4), /expected 8 bytes/],
    ["a huge shape", file({ a: tensor([0, 4], [2 ** 40, 2 ** 40]) }, 4), /spans bytes 0 to 4/],
    [
      "overlapping tensors",
      file({ a: tensor([0, 4]), b: tensor([0, 4]) }, 8),
      /tensor b begins at byte \d+, expected/,
    ],
    [
      "a gap",
      file({ a: tensor([0, 4]), b: tensor([8, 12]) }, 12),
      /tensor b begins at byte \d+, expected/,
    ],
    ["metadata that is no text", file({ __metadata__: { a: 1 } }, 0), /__metadata__ is no map/],
  ] as const
) {
  Deno.test(`readLayout() and readSafetensors() refuse ${name}`, () => {
    for (const read of [layout, readSafetensors]) {
      assert.throws(() => read(bytes), (error: Error) => {
        assert.ok(error instanceof SafetensorsError, `${error}`);
        assert.match(error.message, message);
        return true;
      });
    }
  });
}

Deno.test("readSafetensors() refuses a type that it does not read, and takes any order of keys", () => {
  const bool = file({ a: tensor([0, 1], [1], "BOOL") }, 1);
  assert.throws(() => readSafetensors(bool), /tensor a has type BOOL, expected one of F64, .*U8; /);
  const { tensors } = readSafetensors(file({ b: tensor([4, 8]), a: tensor([0, 4]) }, 8));
  assert.deepEqual([...tensors.keys()], ["a", "b"]);
});

Deno.test("headerLength() refuses a length over any memory", () => {
  const bytes = new Uint8Array(16).fill(255, 0, 8);
  assert.throws(() => headerLength(bytes, 16, "f"), /header claims 18446744073709552000 bytes/);
});
