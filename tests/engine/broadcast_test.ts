import assert from "node:assert/strict";
import { axisGroups, elementwisePlan } from "../../engine/broadcast.ts";
import { broadcastShape, ShapeError } from "../../engine/mod.ts";

Deno.test("broadcastShape() aligns shapes at the last dimension", () => {
  assert.deepEqual(broadcastShape([[3, 1], [4]]), [3, 4]);
  assert.deepEqual(broadcastShape([[], [2, 1]]), [2, 1]);
  assert.deepEqual(broadcastShape([[5, 1, 2], [4, 1], [1, 1, 1]]), [5, 4, 2]);
  assert.deepEqual(broadcastShape([[0, 1], [1, 3]]), [0, 3]);
});

Deno.test("broadcastShape() names both shapes and the sizes that differ", () => {
  assert.throws(() => broadcastShape([[2, 3], [4]]), (error: Error) => {
    assert.ok(error instanceof ShapeError);
    assert.match(error.message, /\[2, 3\] with \[4\]: dimension 1 is 3 and 4/);
    return true;
  });
  assert.throws(() => broadcastShape([[1, 1, 1, 1, 1, 1, 1]]), ShapeError);
});

Deno.test("axisGroups() merges neighbours and leaves out sizes of 1", () => {
  assert.deepEqual(axisGroups([2, 3, 1, 4, 5], [1, 1, 1, 4, 5]), [
    { size: 6, repeated: true },
    { size: 20, repeated: false },
  ]);
});

Deno.test("elementwisePlan() takes the fast path of each broadcast pattern", () => {
  const plan = (shape: number[], operand: number[]) => elementwisePlan(shape, [shape, operand]);
  assert.deepEqual(plan([3, 8], [3, 8]).operands[1], { mode: "same" });
  assert.deepEqual(plan([3, 8], [8]).operands[1], { mode: "row", period: 2 });
  assert.equal(plan([3, 7], [7]).type, "f32");
  assert.deepEqual(plan([3, 8], [3, 1]).operands[1], { mode: "column", inner: 2, period: 3 });
  assert.equal(plan([3, 7], []).type, "vec4f");
  assert.deepEqual(plan([2, 3, 8], [2, 1, 8]).operands[1], { mode: "strided", strides: [2, 0, 1] });
  assert.equal(plan([2, 3, 7], [2, 1, 7]).type, "f32");
});
