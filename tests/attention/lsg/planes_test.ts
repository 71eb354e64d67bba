import assert from "node:assert/strict";
import { lshPlanes, lshRounds } from "../../../attention/lsg/mod.ts";

const SIZE = { heads: 2, d: 32, planes: 64, round: 0 };

/** Correlation of two arrays of mean about 0. */
function correlation(a: Float32Array, b: Float32Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((x, i) => {
    ab += x * b[i];
    aa += x * x;
    bb += b[i] ** 2;
  });
  return ab / Math.sqrt(aa * bb);
}

Deno.test("lshPlanes() draws standard normal directions", () => {
  const values = lshPlanes(3, SIZE);
  assert.equal(values.length, 2 * 64 * 32);
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
  assert.ok(Math.abs(mean) < 0.06, `mean ${mean}`);
  assert.ok(Math.abs(variance - 1) < 0.08, `variance ${variance}`);
});

Deno.test("lshPlanes() draws others for another seed, round or head, and the same for the same", () => {
  const values = lshPlanes(3, SIZE);
  const half = values.length / 2;
  const others = {
    seed: [values, lshPlanes(4, SIZE)],
    round: [values, lshPlanes(3, { ...SIZE, round: 1 })],
    head: [values.subarray(0, half), values.subarray(half)],
  };
  for (const [what, [a, b]] of Object.entries(others)) {
    assert.ok(Math.abs(correlation(a, b)) < 0.08, what);
  }
  assert.deepEqual(lshPlanes(3, SIZE), values);
});

Deno.test("lshRounds() keeps whole chunks until the last round", () => {
  assert.deepEqual(lshRounds(8, 4, 2), [8, 8, 2]);
  assert.deepEqual(lshRounds(8, 2, 0), [4]);
});
