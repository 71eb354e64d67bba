import { deepEqual, throws } from "node:assert/strict";
import { cumsum, type CumsumOptions, ShapeError, sizeOf } from "../../engine/mod.ts";
import { assertClose } from "../_helpers/assert_close.ts";
import { checkOperation, randomArray } from "../_helpers/gradients.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

function reference(shape: number[], axis: number, { reverse, exclusive }: CumsumOptions) {
  const length = shape[axis];
  const inner = sizeOf(shape.slice(axis + 1));
  return (x: Float64Array) =>
    x.map((_, i) => {
      const at = Math.floor(i / inner) % length;
      let sum = 0;
      for (let t = 0; t < length; t++) {
        const before = reverse ? t > at : t < at;
        if (before || (t === at && !exclusive)) sum += x[i + (t - at) * inner];
      }
      return sum;
    });
}

const CASES: [shape: number[], axis: number][] = [
  [[1], 0],
  [[7], 0],
  [[3, 5, 4], 1],
  [[3, 65, 3], 1],
  [[300], 0],
  [[2, 258, 1], -2],
];

for (
  const options of [{}, { reverse: true }, { exclusive: true }, { reverse: true, exclusive: true }]
) {
  gpuTest(`cumsum() ${JSON.stringify(options)}`, async () => {
    for (const [shape, axis] of CASES) {
      await checkOperation(`cumsum [${shape}] along ${axis}`, {
        inputs: [{ name: "x", shape }],
        run: (x) => cumsum(x, axis, options),
        reference: reference(shape, axis < 0 ? axis + shape.length : axis, options),
      });
    }
  });
}

gpuTest("cumsum() scans totals of totals over long axes", async () => {
  for (const options of [{}, { reverse: true, exclusive: true }]) {
    for (const shape of [[2, 20000], [1, 20000, 4], [1, 20000, 3]]) {
      // Whole numbers below 2^24 add up exactly in any order.
      const x = randomArray(sizeOf(shape), 1).map((v) => Math.round(v * 20));
      const inner = shape[2] ?? 1;
      const expected = new Float32Array(x.length);
      for (let line = 0; line < x.length / 20000; line++) {
        let sum = 0;
        for (let t = 0; t < 20000; t++) {
          const at = "reverse" in options ? 19999 - t : t;
          const i = (Math.floor(line / inner) * 20000 + at) * inner + line % inner;
          if ("exclusive" in options) expected[i] = sum;
          sum += x[i];
          if (!("exclusive" in options)) expected[i] = sum;
        }
      }
      const y = await gpu.readFloats(cumsum(gpu.tensor(x, shape), 1, options));
      // -0 and 0 are the same sum.
      deepEqual(y.map((v) => v + 0), expected.map((v) => v + 0));
    }
  }
});

gpuTest("cumsum() stays accurate over long axes", async () => {
  const x = randomArray(8192, 3).map(Math.abs);
  let sum = 0;
  const expected = Float64Array.from(x, (v) => sum += v);
  assertClose("cumsum", await gpu.readFloats(cumsum(gpu.tensor(x, [8192]), 0)), expected, {
    relative: 2e-6,
  });
});

gpuTest("cumsum() refuses a missing axis and passes empty tensors", async () => {
  throws(() => cumsum(gpu.tensor([1], [1]), 1), ShapeError);
  const empty = cumsum(gpu.tensor([], [0, 3]), 0);
  deepEqual(await gpu.readFloats(empty), new Float32Array(0));
});
