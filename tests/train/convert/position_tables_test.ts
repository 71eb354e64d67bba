import assert from "node:assert/strict";
import { sinusoidalPositions } from "../../../models/mod.ts";
import { globalPositionOrder, tiledRows } from "../../../train/convert/mod.ts";
import { computedPositions } from "../../../train/convert/position_tables.ts";
import { globalPositions } from "../../../train/convert/global_positions.ts";
import { FloatTable } from "../../../train/convert/float_table.ts";

/** A table whose row r holds r + 1, r + 2, ... times a scale. */
function table(rows: number, width: number): FloatTable {
  const values = Float32Array.from(
    { length: rows * width },
    (_, i) => Math.floor(i / width) + i % width,
  );
  return new FloatTable(
    { dtype: "F32", shape: [rows, width], data: new Uint8Array(values.buffer) },
    "t",
  );
}

Deno.test("tiledRows() keeps the first rows and repeats the others to any length", () => {
  assert.deepEqual(tiledRows(5, 2, 7), [0, 1, 2, 3, 4, 2, 3, 4, 2]);
  assert.deepEqual(tiledRows(3, 0, 7), [0, 1, 2, 0, 1, 2, 0]);
  assert.deepEqual(tiledRows(5, 2, 2), [0, 1, 2, 3]);
  assert.deepEqual(tiledRows(3, 2, 3), [0, 1, 2, 2, 2]);
  assert.throws(() => tiledRows(2, 2, 4), /has 2 rows, expected more than 2/);
});

Deno.test("tiledRows() lacks rows like the reference only where asked to", () => {
  // lsg.md 4.2: with R = 514 and o = 2 the reference is short for L from 512 q + 1 to 514 q - 1.
  for (const [length, missing] of [[512, 0], [513, 1], [514, 0], [1024, 0], [1027, 3], [1028, 0]]) {
    assert.equal(tiledRows(514, 2, length).length, length + 2, `${length}`);
    assert.equal(tiledRows(514, 2, length, true).length, length + 2 - missing, `${length}`);
  }
  assert.equal(tiledRows(514, 2, 513).at(-1), 2);
});

Deno.test("globalPositionOrder() spreads the first globals over the old range", () => {
  const order = globalPositionOrder(512, 64);
  assert.deepEqual(order.slice(0, 10), [0, 64, 128, 192, 256, 320, 384, 448, 1, 65]);
  assert.deepEqual(order.slice(-3), [383, 447, 511]);
  const long = globalPositionOrder(1024, 64);
  assert.deepEqual(long.slice(0, 3), [0, 64, 128]);
  assert.deepEqual(long.slice(15, 18), [960, 2, 66]);
  for (const stride of [1, 2, 64, 512]) {
    const all = globalPositionOrder(512, stride).toSorted((a, b) => a - b);
    assert.deepEqual(all, Array.from({ length: 512 }, (_, i) => i));
  }
  // Neither a stride below the factor nor one that does not divide.
  assert.throws(
    () => globalPositionOrder(1024, 1),
    /stride between globals is 1, expected 2 times/,
  );
  assert.throws(() => globalPositionOrder(512, 3), /--global-positional-stride/);
});

Deno.test("globalPositions() leaves the offset out and cuts to whole multiples of 512", () => {
  const values = globalPositions(table(702, 1), 2, 64, 1);
  assert.equal(values.length, 512);
  assert.deepEqual([...values.subarray(0, 3)], [2, 66, 130]);
  assert.equal(Math.max(...values), 513);
});

Deno.test("globalPositions() fills a short table up with its own mean and deviation", () => {
  const short = table(40, 3);
  const values = globalPositions(short, 0, 1, 7);
  for (const [c, mean] of [19.5, 20.5, 21.5].entries()) {
    const column = Array.from({ length: 512 }, (_, r) => values[r * 3 + c]);
    assert.deepEqual(column.slice(0, 40), Array.from({ length: 40 }, (_, r) => r + c));
    const filled = column.slice(40);
    const average = filled.reduce((a, b) => a + b) / filled.length;
    const deviation = Math.sqrt(filled.reduce((a, b) => a + (b - average) ** 2, 0) / 471);
    // 472 draws: the mean is within 4 standard errors (11.7 / 21.7), the deviation within 15%.
    assert.ok(Math.abs(average - mean) < 2.2, `${average}`);
    assert.ok(Math.abs(deviation / 11.69 - 1) < 0.15, `${deviation}`);
  }
  assert.deepEqual(globalPositions(short, 0, 1, 7), values);
  assert.notDeepEqual(globalPositions(short, 0, 1, 8), values);
  assert.throws(
    () => globalPositions(table(1, 3), 0, 1, 7),
    /has 1 positions, expected at least 2/,
  );
});

Deno.test("sinusoidalPositions() has sines in the first half and cosines in the second", () => {
  const values = sinusoidalPositions(3, 4);
  assert.deepEqual([...values.subarray(0, 4)], [0, 0, 1, 1]);
  const expected = [Math.sin(2), Math.sin(2 / 100), Math.cos(2), Math.cos(2 / 100)];
  assert.deepEqual([...values.subarray(8)], expected.map(Math.fround));
  assert.deepEqual(computedPositions(3, 4), values);
  assert.throws(() => computedPositions(3, 5), /d_model is 5, expected an even number/);
});
