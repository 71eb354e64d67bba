import assert from "node:assert/strict";
import { add, detach, mul, reshape, ShapeError, square } from "../../engine/mod.ts";
import { checkOperation } from "../_helpers/gradients.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

gpuTest("reshape() shares memory and passes the gradient on", async () => {
  await checkOperation("reshape", {
    inputs: [{ name: "x", shape: [4, 6] }, { name: "y", shape: [8] }],
    run: (x, y) => mul(reshape(square(x), [3, -1]), y),
    reference: (x, y) => x.map((v, i) => v * v * y[i % 8]),
  });
  const x = gpu.zeros([4, 6]);
  const before = gpu.memory.liveBytes;
  assert.deepEqual(reshape(x, [2, -1, 3]).shape, [2, 4, 3]);
  assert.equal(gpu.memory.liveBytes, before);
});

gpuTest("reshape() adds the gradients of both uses", async () => {
  await checkOperation("reshape used twice", {
    inputs: [{ name: "x", shape: [2, 3] }],
    run: (x) => add(reshape(x, [6]), reshape(square(x), [6])),
    reference: (x) => x.map((v) => v + v * v),
  });
});

gpuTest("reshape() refuses another number of elements", () => {
  const x = gpu.zeros([4, 6]);
  for (const shape of [[5], [-1, 5], [-1, -1], [2.5, -1], [-2, -12]]) {
    assert.throws(() => reshape(x, shape), ShapeError);
  }
});

gpuTest("detach() stops the gradient", async () => {
  const gradient = gpu.scope(() => {
    const x = gpu.tensor([2, 3], [2]);
    x.requiresGrad = true;
    return gpu.withTape((tape) => {
      const y = mul(x, detach(x));
      return gpu.readLater(tape.backward(y, gpu.full([2], 1), [x])[0]!);
    });
  });
  gpu.submit();
  assert.deepEqual(await gradient.value, Float32Array.of(2, 3));
});
