import { deepEqual, throws } from "node:assert/strict";
import {
  embedding,
  gather,
  scatterAddRows,
  ShapeError,
  takeRows,
  uniformAt,
} from "../../engine/mod.ts";
import { checkOperation, randomArray } from "../_helpers/gradients.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

function randomIds(count: number, rows: number): Int32Array {
  // Squaring skews the ids, as text does.
  return Int32Array.from({ length: count }, (_, i) => Math.floor(uniformAt(7, 3, i) ** 2 * rows));
}

function gatherReference(outer: number, rows: number, inner: number, ids: Int32Array) {
  return (x: Float64Array) => {
    const y = new Float64Array(outer * ids.length * inner);
    for (let o = 0; o < outer; o++) {
      ids.forEach((id, t) => {
        const row = Math.min(Math.max(id, 0), rows - 1);
        for (let c = 0; c < inner; c++) {
          y[(o * ids.length + t) * inner + c] = x[(o * rows + row) * inner + c];
        }
      });
    }
    return y;
  };
}

for (const [V, D, T] of [[1, 1, 1], [7, 4, 63], [13, 3, 65], [40, 8, 300]]) {
  gpuTest(`embedding() table ${V}x${D}, ${T} ids`, async () => {
    const ids = randomIds(T, V);
    await checkOperation("embedding", {
      inputs: [{ name: "table", shape: [V, D] }],
      run: (table) => embedding(table, gpu.tensor(ids, [T])),
      reference: gatherReference(1, V, D, ids),
    });
  });
}

gpuTest("embedding() sums the gradient of many ids, the same bits each time", async () => {
  const [V, D, T] = [97, 12, 5000];
  const ids = randomIds(T, V);
  const upstream = randomArray(T * D, 5);
  const once = async () => {
    const [gradient] = gpu.scope(() => {
      const table = gpu.zeros([V, D]);
      table.requiresGrad = true;
      return gpu.withTape((tape) => {
        const y = embedding(table, gpu.tensor(ids, [50, 100]));
        deepEqual(y.shape, [50, 100, D]);
        return tape.backward(y, gpu.tensor(upstream, y.shape), [table]);
      });
    });
    return await gpu.readFloats(gradient!);
  };
  const expected = new Float32Array(V * D);
  // Order of position, in f32: the kernel promises this order, so the bits agree.
  ids.forEach((id, t) => {
    for (let c = 0; c < D; c++) {
      expected[id * D + c] = Math.fround(expected[id * D + c] + upstream[t * D + c]);
    }
  });
  const first = await once();
  deepEqual(first, expected);
  deepEqual(await once(), first);
});

gpuTest("embedding() reads the nearest row for ids out of range", async () => {
  const ids = Int32Array.of(-1, 5, 2147483647, -2147483648, 2);
  await checkOperation("embedding", {
    inputs: [{ name: "table", shape: [3, 4] }],
    run: (table) => embedding(table, gpu.tensor(ids, [5])),
    reference: gatherReference(1, 3, 4, ids),
  });
});

for (const [shape, axis] of [[[5, 3, 4], 0], [[5, 3, 4], 1], [[5, 3, 4], -1], [[2, 2, 9, 3], 2]]) {
  gpuTest(`gather() ${shape} along axis ${axis}`, async () => {
    const s = shape as number[];
    const at = (axis as number) < 0 ? s.length + (axis as number) : axis as number;
    const product = (x: number[]) => x.reduce((a, b) => a * b, 1);
    const ids = randomIds(6, s[at]);
    await checkOperation("gather", {
      inputs: [{ name: "x", shape: s }],
      run: (x) => {
        const y = gather(x, axis as number, gpu.tensor(ids, [2, 3]));
        deepEqual(y.shape, [...s.slice(0, at), 2, 3, ...s.slice(at + 1)]);
        return y;
      },
      reference: gatherReference(product(s.slice(0, at)), s[at], product(s.slice(at + 1)), ids),
    });
  });
}

gpuTest("scatterAddRows() sums updates by index", async () => {
  for (const [rows, inner] of [[9, 4], [9, 5], [200, 1]]) {
    const ids = randomIds(77, rows);
    await checkOperation("scatterAddRows", {
      inputs: [{ name: "updates", shape: [7, 11, inner] }],
      run: (updates) => scatterAddRows(updates, gpu.tensor(ids, [7, 11]), rows),
      reference: (updates) => {
        const y = new Float64Array(rows * inner);
        ids.forEach((id, t) => {
          for (let c = 0; c < inner; c++) y[id * inner + c] += updates[t * inner + c];
        });
        return y;
      },
    });
  }
});

gpuTest("scatterAddRows() of no updates is zero", async () => {
  const y = scatterAddRows(gpu.tensor([], [0, 3]), gpu.tensor(new Int32Array(0), [0]), 2);
  deepEqual(await gpu.readFloats(y), new Float32Array(6));
});

gpuTest("takeRows() copies integers bit for bit", async () => {
  const x = gpu.tensor(Int32Array.of(-1, 2, 0x7fc00001, -4, 5, 6), [3, 2]);
  const y = takeRows(x, gpu.tensor(Int32Array.of(2, 1, 1), [3]));
  deepEqual(await gpu.read(y), Int32Array.of(5, 6, 0x7fc00001, -4, 0x7fc00001, -4));
});

gpuTest("gather() refuses float indices and missing axes", () => {
  const x = gpu.tensor([1, 2, 3, 4], [2, 2]);
  throws(() => gather(x, 0, gpu.tensor([0, 1], [2])), TypeError);
  throws(() => gather(x, 2, gpu.tensor(Int32Array.of(0), [1])), ShapeError);
  throws(() => embedding(gpu.tensor([1], [1]), gpu.tensor(Int32Array.of(0), [1])), ShapeError);
  throws(() => scatterAddRows(x, gpu.tensor(Int32Array.of(0), [1]), 2), ShapeError);
});
