import assert from "node:assert/strict";
import {
  argmax,
  max,
  mean,
  type ReduceOptions,
  type Shape,
  ShapeError,
  sizeOf,
  sum,
  sumTo,
  type Tensor,
} from "../../engine/mod.ts";
import { assertClose } from "../_helpers/assert_close.ts";
import { checkOperation, randomArray } from "../_helpers/gradients.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

const CASES: [Shape, ReduceOptions][] = [
  [[1], {}],
  [[5], {}],
  [[4, 7], {}],
  [[4, 7], { axes: [-1] }],
  [[4, 8], { axes: [1], keepDims: true }],
  [[4, 7], { axes: [0] }],
  [[5, 8], { axes: [0] }],
  [[3, 4, 5], { axes: [1] }],
  [[3, 5, 8], { axes: [1], keepDims: true }],
  [[3, 4, 5], { axes: [0, 2] }],
  [[2, 3, 2, 4], { axes: [-3, 1 - 2], keepDims: true }],
  [[2, 3, 1, 4], { axes: [2] }],
  [[3, 4], { axes: [] }],
  [[1100], {}],
  [[2, 601], { axes: [1] }],
  [[700, 2], { axes: [0] }],
  [[300, 4], { axes: [0] }],
];

/** Sum or maximum over the given axes, straight from the coordinates. */
function reference(
  shape: Shape,
  { axes }: ReduceOptions,
  combine: (a: number, b: number) => number,
  start: number,
) {
  const rank = shape.length;
  const reduced = (axes ?? shape.map((_, i) => i)).map((axis) => axis < 0 ? axis + rank : axis);
  return (x: Float64Array) => {
    const kept = shape.map((n, axis) => reduced.includes(axis) ? 1 : n);
    const y = new Float64Array(sizeOf(kept)).fill(start);
    for (let i = 0; i < x.length; i++) {
      let offset = 0;
      for (let axis = 0, rest = i, size = x.length; axis < rank; axis++) {
        size /= shape[axis];
        const c = Math.floor(rest / size);
        rest %= size;
        offset = offset * kept[axis] + (kept[axis] === 1 ? 0 : c);
      }
      y[offset] = combine(y[offset], x[i]);
    }
    return y;
  };
}

for (const [shape, options] of CASES) {
  gpuTest(`sum(), mean() and max() of [${shape}] over ${JSON.stringify(options)}`, async () => {
    const inputs = [{ name: "x", shape }];
    const sums = reference(shape, options, (a, b) => a + b, 0);
    await checkOperation("sum", { inputs, run: (x) => sum(x, options), reference: sums });
    await checkOperation("mean", {
      inputs,
      run: (x) => mean(x, options),
      reference: (x) => sums(x).map((y, _, all) => y * all.length / x.length),
    });
    await checkOperation("max", {
      inputs,
      run: (x) => max(x, options),
      reference: reference(shape, options, Math.max, -Infinity),
    });
  });
}

gpuTest("reductions drop or keep the reduced axes", () => {
  const x = gpu.zeros([2, 3, 4]);
  assert.deepEqual(sum(x).shape, []);
  assert.deepEqual(mean(x, { axes: [1] }).shape, [2, 4]);
  assert.deepEqual(max(x, { axes: [0, 2], keepDims: true }).shape, [1, 3, 1]);
});

gpuTest("sum() of a long vector uses several passes and stays accurate", async () => {
  const host = randomArray(100_003, 1);
  const total = host.reduce((a, b) => a + b, 0);
  assertClose("sum", await gpu.readFloats(sum(gpu.tensor(host, [host.length]))), [total], {
    relative: 1e-4,
  });
});

gpuTest("max() gives the gradient to the first maximum in row-major order", async () => {
  for (
    const [shape, axes, first] of [
      [[6], [0], [2]],
      [[2, 3], [0, 1], [2]],
      [[2, 3], [0], [0, 1, 2]],
      [[600], [0], [2]],
      [[602], [0], [2]],
    ] as const
  ) {
    const host = new Float32Array(sizeOf(shape)).fill(7);
    // With every axis reduced the first two elements are smaller than the others, which are all equal.
    if (axes.length === shape.length) host.fill(1, 0, 2);
    const expected = new Float32Array(host.length);
    first.forEach((i) => expected[i] = 1);
    const gradient = gpu.scope(() => {
      const x = gpu.tensor(host, shape);
      x.requiresGrad = true;
      return gpu.withTape((tape) => {
        const y = max(x, { axes });
        return gpu.readLater(tape.backward(y, gpu.full(y.shape, 1), [x])[0]!);
      });
    });
    gpu.submit();
    assert.deepEqual(await gradient.value, expected);
  }
});

gpuTest("argmax() finds the first maximum of each row", async () => {
  const x = gpu.tensor([1, 5, 5, 0, -3, -1, -2, -1, -4, -4, -4, -4], [3, 4]);
  assert.deepEqual(await gpu.read(argmax(x)), Uint32Array.of(1, 1, 0));
  const long = randomArray(1500, 3);
  const at = await gpu.read(argmax(gpu.tensor(long, [1, 1500])));
  assert.equal(at[0], long.indexOf(Math.max(...long)));
});

gpuTest("sumTo() undoes broadcasting", async () => {
  const x = gpu.tensor(Float32Array.from({ length: 24 }, (_, i) => i), [2, 3, 4]);
  const y: Tensor = sumTo(x, [2, 1, 4]);
  assert.deepEqual(y.shape, [2, 1, 4]);
  assert.deepEqual(await gpu.read(y), Float32Array.of(12, 15, 18, 21, 48, 51, 54, 57));
  assert.equal(sumTo(x, [2, 3, 4]), x);
});

gpuTest("reductions release what they need on the way", () => {
  const x = gpu.zeros([40, 700]);
  const before = gpu.memory.liveBytes;
  const results = [sum(x), max(x), mean(x, { axes: [0] }), argmax(x), max(x, { axes: [0] })];
  for (const result of results) result.dispose();
  assert.equal(gpu.memory.liveBytes, before);
  x.dispose();
});

gpuTest("reductions refuse axes that do not exist, repeated ones and integers", () => {
  const x = gpu.zeros([2, 3]);
  assert.throws(() => sum(x, { axes: [2] }), ShapeError);
  assert.throws(() => sum(x, { axes: [0, -2] }), ShapeError);
  assert.throws(() => max(gpu.zeros([2, 0])), ShapeError);
  assert.throws(() => sum(gpu.zeros([2], "i32")), TypeError);
});
