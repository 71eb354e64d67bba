import { deepEqual, throws } from "node:assert/strict";
import {
  concat,
  flip,
  pad,
  permute,
  type Shape,
  ShapeError,
  sizeOf,
  slice,
  transpose,
} from "../../engine/mod.ts";
import { checkOperation } from "../_helpers/gradients.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

/** Coordinates of element i of an array of this shape. */
function coordinates(i: number, shape: Shape): number[] {
  return shape.map((n, k) => Math.floor(i / sizeOf(shape.slice(k + 1))) % n);
}

function index(at: readonly number[], shape: Shape): number {
  return at.reduce((sum, c, k) => sum * shape[k] + c, 0);
}

/** An array of `shape` whose elements come from x [from], by coordinates; `undefined` gives `value`. */
function pick(
  shape: Shape,
  from: Shape,
  source: (at: number[]) => number[] | undefined,
  value = 0,
) {
  return (x: Float64Array) =>
    Array.from({ length: sizeOf(shape) }, (_, i) => {
      const at = source(coordinates(i, shape));
      return at ? x[index(at, from)] : value;
    });
}

const PERMUTATIONS: [shape: number[], order: number[]][] = [
  [[5], [0]],
  [[3, 7], [1, 0]],
  [[8, 12], [1, 0]],
  [[2, 5, 3, 4], [0, 2, 1, 3]],
  [[2, 5, 3, 7], [0, 2, 1, 3]],
  [[2, 8, 3, 4], [3, 0, 2, 1]],
  [[4, 3, 8, 5], [2, 1, 3, 0]],
  [[2, 4, 3, 8], [0, 3, 2, 1]],
  [[2, 1, 3, 2, 5, 2], [5, 3, 1, 0, 4, 2]],
  [[20, 36], [1, 0]],
];

for (const [shape, order] of PERMUTATIONS) {
  gpuTest(`permute() [${shape}] by [${order}]`, async () => {
    const result = order.map((k) => shape[k]);
    await checkOperation("permute", {
      inputs: [{ name: "x", shape }],
      run: (x) => {
        const y = permute(x, order);
        deepEqual(y.shape, result);
        return y;
      },
      reference: pick(result, shape, (at) => shape.map((_, k) => at[order.indexOf(k)])),
    });
  });
}

gpuTest("transpose() swaps the last two axes", async () => {
  for (const shape of [[4, 8], [3, 5], [2, 3, 4, 12], [2, 5, 4]]) {
    const result = [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!];
    await checkOperation("transpose", {
      inputs: [{ name: "x", shape }],
      run: transpose,
      reference: pick(
        result,
        shape,
        (at) => [...at.slice(0, -2), at.at(-1)!, at.at(-2)!],
      ),
    });
  }
});

gpuTest("permute() crosses many workgroups", async () => {
  for (const shape of [[300, 40, 4], [101, 7, 31]]) {
    const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => i);
    const result = [shape[1], shape[2], shape[0]];
    const expected = pick(result, shape, ([b, c, a]) => [a, b, c])(Float64Array.from(data));
    const y = permute(gpu.tensor(data, shape), [1, 2, 0]);
    deepEqual(await gpu.readFloats(y), Float32Array.from(expected));
  }
});

gpuTest("slice() cuts a box, negative bounds count from the end", async () => {
  const cases: [shape: number[], starts: number[], ends: number[], from: number[], to: number[]][] =
    [
      [[7], [2], [5], [2], [5]],
      [[4, 8], [1, 4], [3, 8], [1, 4], [3, 8]],
      [[3, 5, 6], [0, -3], [-1], [0, 2, 0], [2, 5, 6]],
      [[2, 3, 4, 5], [0, 1, 0, 3], [2, 2, -2, 5], [0, 1, 0, 3], [2, 2, 2, 5]],
      [[2, 2, 3, 2, 2, 8], [0, 1, 1, 0, 0, 4], [], [0, 1, 1, 0, 0, 4], [2, 2, 3, 2, 2, 8]],
    ];
  for (const [shape, starts, ends, from, to] of cases) {
    const result = to.map((end, k) => end - from[k]);
    await checkOperation(`slice [${shape}]`, {
      inputs: [{ name: "x", shape }],
      run: (x) => {
        const y = slice(x, starts, ends);
        deepEqual(y.shape, result);
        return y;
      },
      reference: pick(result, shape, (at) => at.map((c, k) => c + from[k])),
    });
  }
});

gpuTest("pad() surrounds a tensor with a value", async () => {
  const cases: [shape: number[], before: number[], after: number[]][] = [
    [[3], [2], [0]],
    [[2, 4], [0, 4], [1, 8]],
    [[2, 3, 5], [1, 0, 2], [0, 3, 1]],
  ];
  for (const [shape, before, after] of cases) {
    const result = shape.map((n, k) => before[k] + n + after[k]);
    await checkOperation(`pad [${shape}]`, {
      inputs: [{ name: "x", shape }],
      run: (x) => pad(x, before, after, -2.5),
      reference: pick(result, shape, (at) => {
        const inner = at.map((c, k) => c - before[k]);
        return inner.every((c, k) => c >= 0 && c < shape[k]) ? inner : undefined;
      }, -2.5),
    });
  }
});

gpuTest("concat() joins along an axis and splits the gradient", async () => {
  const cases: [shapes: number[][], axis: number][] = [
    [[[3], [1], [4]], 0],
    [[[2, 4], [2, 8]], 1],
    [[[2, 3, 4], [2, 1, 4], [2, 2, 4]], -2],
    [[[2, 3], [2, 2]], -1],
  ];
  for (const [shapes, axis] of cases) {
    const at = axis < 0 ? axis + shapes[0].length : axis;
    const result = shapes[0].with(at, shapes.reduce((sum, s) => sum + s[at], 0));
    await checkOperation("concat", {
      inputs: shapes.map((shape, i) => ({ name: `x${i}`, shape })),
      run: (...xs) => concat(xs, axis),
      reference: (...xs) =>
        Array.from({ length: sizeOf(result) }, (_, i) => {
          const c = coordinates(i, result);
          let which = 0;
          while (c[at] >= shapes[which][at]) c[at] -= shapes[which++][at];
          return xs[which][index(c, shapes[which])];
        }),
    });
  }
});

gpuTest("flip() reverses axes", async () => {
  for (const [shape, axes] of [[[5], [0]], [[3, 4, 8], [0]], [[3, 4, 5], [-1, 1]]]) {
    const reversed = axes.map((a) => a < 0 ? a + shape.length : a);
    await checkOperation("flip", {
      inputs: [{ name: "x", shape }],
      run: (x) => flip(x, axes),
      reference: pick(
        shape,
        shape,
        (at) => at.map((c, k) => reversed.includes(k) ? shape[k] - 1 - c : c),
      ),
    });
  }
});

gpuTest("copies keep integers and empty tensors", async () => {
  const x = gpu.tensor(Int32Array.of(1, -2, 0x7fc00001, 4, 5, 6), [2, 3]);
  deepEqual(await gpu.read(transpose(x)), Int32Array.of(1, 4, -2, 5, 0x7fc00001, 6));
  deepEqual(
    await gpu.read(pad(slice(x, [0, 1], [1]), [0, 0], [1, 0], -7)),
    Int32Array.of(-2, 0x7fc00001, -7, -7),
  );
  const empty = slice(x, [1, 1], [1, 3]);
  deepEqual(empty.shape, [0, 2]);
  deepEqual((await gpu.read(concat([empty, slice(x, [1, 0], [2, 2])], 0))).length, 2);
});

gpuTest("copies refuse what does not fit", () => {
  const x = gpu.tensor([1, 2, 3, 4, 5, 6], [2, 3]);
  throws(() => permute(x, [0, 0]), ShapeError);
  throws(() => permute(x, [0, 1, 2]), ShapeError);
  throws(() => transpose(gpu.tensor([1], [1])), ShapeError);
  throws(() => slice(x, [0, 0], [3, 3]), ShapeError);
  throws(() => slice(x, [1], [0]), ShapeError);
  throws(() => slice(x, [0.5]), ShapeError);
  throws(() => pad(x, [0], [0]), ShapeError);
  throws(() => pad(x, [-1, 0], [0, 0]), ShapeError);
  throws(() => concat([], 0), ShapeError);
  throws(() => concat([x, gpu.tensor([1, 2], [2, 1])], 0), ShapeError);
  throws(() => concat([x, gpu.tensor(Int32Array.of(1, 2, 3), [1, 3])], 0), TypeError);
  throws(() => flip(x, [2]), ShapeError);
});
