import { MAX_GLOBALS } from "../../attention/lsg/mod.ts";
import { normalAt } from "../../engine/mod.ts";
import { ConversionError } from "./conversion_error.ts";
import type { FloatTable } from "./float_table.ts";

/** Stream of the random numbers that fill up a table of fewer than 512 positions. */
const FILL_STREAM = 1;

/**
 * Which position each of the 512 globals takes, so that the first G are spread over the old range.
 *
 * With F = floor(N / 512) and a = floor(stride / F), row i * (512 / a) + j takes position (j * a + i) * F.
 *
 * @param positions N, positions of the old table; below 512 it counts as 512.
 * @param stride Distance between neighbouring globals, in positions.
 * @throws {ConversionError} If a does not divide 512.
 */
export function globalPositionOrder(positions: number, stride: number): number[] {
  const factor = Math.max(1, Math.floor(positions / MAX_GLOBALS));
  const apart = Math.floor(stride / factor);
  if (apart < 1 || MAX_GLOBALS % apart !== 0) {
    throw new ConversionError(
      `Cannot convert: the stride between globals is ${stride}, expected ${factor} times a ` +
        `divisor of 512 for ${positions} positions; choose another with --global-positional-stride`,
    );
  }
  const columns = MAX_GLOBALS / apart;
  return Array.from(
    { length: MAX_GLOBALS },
    (_, row) => ((row % columns) * apart + Math.floor(row / columns)) * factor,
  );
}

/**
 * Position embeddings of the 512 globals, float32 [512, width].
 *
 * A table of fewer than 512 positions is filled up with normal numbers of each column's mean and unbiased standard deviation.
 *
 * @param table The old position table.
 * @param offset Its first rows that stand for no position.
 * @param stride See {@link globalPositionOrder}.
 * @param seed Seed of the filling.
 */
export function globalPositions(
  table: Pick<FloatTable, "rows" | "width" | "row">,
  offset: number,
  stride: number,
  seed: number,
): Float32Array<ArrayBuffer> {
  const { width } = table;
  const count = table.rows - offset;
  const order = globalPositionOrder(count, stride);
  const filled = count < MAX_GLOBALS ? fill(table, offset, count, seed) : undefined;
  const result = new Float32Array(MAX_GLOBALS * width);
  order.forEach((position, row) => {
    const values = position < count ? table.row(offset + position) : filled!(position);
    result.set(values, row * width);
  });
  return result;
}

function fill(
  table: Pick<FloatTable, "width" | "row">,
  offset: number,
  count: number,
  seed: number,
): (position: number) => Float32Array {
  const { width } = table;
  if (count < 2) {
    throw new ConversionError(
      `Cannot convert: the position table has ${count} positions, expected at least 2 to fill it ` +
        "up to 512",
    );
  }
  const mean = new Float64Array(width);
  const squares = new Float64Array(width);
  for (let p = 0; p < count; p++) table.row(offset + p).forEach((v, c) => mean[c] += v / count);
  for (let p = 0; p < count; p++) {
    table.row(offset + p).forEach((v, c) => squares[c] += (v - mean[c]) ** 2);
  }
  return (position) =>
    Float32Array.from(
      mean,
      (m, c) =>
        m + Math.sqrt(squares[c] / (count - 1)) *
          normalAt(seed, FILL_STREAM, (position - count) * width + c),
    );
}
