import assert from "node:assert/strict";
import { onnxCase } from "../../../benchmarks/peers/onnx_cases.ts";
import { encodeOnnxModel } from "../../../benchmarks/peers/onnx_graph.ts";

/** Fields of a message by number: varints as numbers, lengths as bytes. */
function decode(bytes: Uint8Array): Map<number, (number | Uint8Array)[]> {
  const fields = new Map<number, (number | Uint8Array)[]>();
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n;; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(BigInt.asIntN(64, value));
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const [field, type] = [key >> 3, key & 7];
    let value: number | Uint8Array;
    if (type === 0) value = varint();
    else if (type === 5) value = bytes.subarray(at, at += 4);
    else {
      const length = varint();
      value = bytes.subarray(at, at += length);
    }
    fields.set(field, [...fields.get(field) ?? [], value]);
  }
  return fields;
}

const text = (value: number | Uint8Array) => new TextDecoder().decode(value as Uint8Array);
const inner = (value: number | Uint8Array) => decode(value as Uint8Array);

Deno.test("encodeOnnxModel() writes nodes, negative attributes, floats and shapes", () => {
  const model = decode(encodeOnnxModel({
    inputs: [{ name: "x", type: "float32", shape: [3, 300] }],
    outputs: [{ name: "y", type: "int64", shape: [] }],
    nodes: [{
      op: "Softmax",
      inputs: ["x"],
      outputs: ["y"],
      attributes: { axis: -1, scale: { float: 1 }, axes: [0, 2] },
    }],
    constants: [{ name: "c", shape: [2], values: [-5, 7] }],
  }));
  const graph = inner(model.get(7)![0]);
  const node = inner(graph.get(1)![0]);
  assert.equal(text(node.get(4)![0]), "Softmax");
  const [axis, scale, axes] = node.get(5)!.map(inner);
  assert.equal(axis.get(3)![0], -1);
  assert.deepEqual([...scale.get(2)![0] as Uint8Array], [0, 0, 128, 63]);
  assert.deepEqual(axes.get(8), [0, 2]);
  const tensor = inner(inner(inner(graph.get(11)![0]).get(2)![0]).get(1)![0]);
  assert.equal(tensor.get(1)![0], 1);
  const dimensions = inner(tensor.get(2)![0]).get(1)!;
  assert.deepEqual(dimensions.map((value) => inner(value).get(1)![0]), [3, 300]);
  const constant = inner(graph.get(5)![0]);
  const raw = (constant.get(9)![0] as Uint8Array).slice();
  assert.deepEqual([...new BigInt64Array(raw.buffer)], [-5n, 7n]);
});

Deno.test("onnxCase() has no graph for gradients and training", () => {
  const none = {};
  const attention = {
    operation: "attention",
    causal: true,
    heads: 1,
    headDim: 4,
    length: 4,
  } as const;
  assert.equal(onnxCase({ ...attention, phase: "forward+backward" }, none), null);
  assert.notEqual(onnxCase({ ...attention, phase: "forward" }, none), null);
});
