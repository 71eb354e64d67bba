import assert from "node:assert/strict";
import { dropout, dropoutKeeps } from "../../engine/mod.ts";
import { checkOperation } from "../_helpers/gradients.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

gpuTest("dropout() drops in backward what it dropped in forward", async () => {
  for (const [p, shape] of [[0.1, [1]], [0.5, [7, 5]], [0.9, [3, 4, 26]]] as const) {
    const options = { p, seed: 0xfffffff0, stream: 3 };
    await checkOperation(`dropout ${p} of [${shape}]`, {
      inputs: [{ name: "x", shape }],
      run: (x) => dropout(x, options),
      reference: (x) => x.map((v, i) => dropoutKeeps(i, options) ? v / (1 - p) : 0),
    });
  }
});

gpuTest("dropout() drops about p of the elements, others for another stream or seed", async () => {
  const count = 20_000;
  const draw = (p: number, stream: number, seed: number) =>
    gpu.readFloats(dropout(gpu.full([count], 1), { p, stream, seed }));
  const dropped = (y: Float32Array) => y.reduce((n, v) => n + (v === 0 ? 1 : 0), 0);
  const base = await draw(0.2, 1, 1);
  // Five standard deviations of a binomial count.
  assert.ok(Math.abs(dropped(base) - 4000) < 5 * Math.sqrt(count * 0.2 * 0.8));
  assert.deepEqual(await draw(0.2, 1, 1), base);
  for (const other of [await draw(0.2, 2, 1), await draw(0.2, 1, 2)]) {
    const both = other.reduce((n, v, i) => n + (v === 0 && base[i] === 0 ? 1 : 0), 0);
    assert.ok(Math.abs(both - 800) < 5 * Math.sqrt(count * 0.04 * 0.96), `${both} in common`);
  }
});

gpuTest("dropout() with p = 0 returns its input and dispatches nothing", () => {
  const x = gpu.zeros([3]);
  const before = gpu.counters.dispatches;
  assert.equal(dropout(x, { p: 0, seed: 1, stream: 1 }), x);
  assert.equal(gpu.counters.dispatches, before);
});

gpuTest("dropout() refuses probabilities outside [0, 1)", () => {
  for (const p of [-0.1, 1, NaN]) {
    assert.throws(() => dropout(gpu.zeros([3]), { p, seed: 1, stream: 1 }), RangeError);
  }
});
