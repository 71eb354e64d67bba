import assert from "node:assert/strict";
import { paddedPositions } from "../../engine/mod.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

gpuTest("paddedPositions() counts the tokens that are not padding", async () => {
  for (const T of [1, 5, 64, 150]) {
    const ids = Int32Array.from({ length: 3 * T }, (_, i) => i % 5 === 3 || i > 2 * T + 2 ? 1 : i);
    const want: number[] = [];
    for (let b = 0; b < 3; b++) {
      let count = 0;
      for (let t = 0; t < T; t++) want.push(ids[b * T + t] === 1 ? 1 : 1 + ++count);
    }
    const got = await gpu.read(paddedPositions(gpu.tensor(ids, [3, T]), 1));
    assert.deepEqual([...got], want);
  }
});

gpuTest("paddedPositions() refuses other shapes and types", () => {
  assert.throws(() => paddedPositions(gpu.tensor(new Int32Array(3), [3]), 1), /expected i32/);
  assert.throws(() => paddedPositions(gpu.tensor([1, 2], [1, 2]), 1), /expected i32/);
});
