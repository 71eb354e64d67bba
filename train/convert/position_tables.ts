import { sinusoidalPositions } from "../../models/mod.ts";
import { ConversionError } from "./conversion_error.ts";
import type { FloatTable } from "./float_table.ts";

/**
 * Rows of a learned position table that make a longer or shorter one: row o + p of the new table is row o + p mod (R - o) of the
 * old one, for the o first rows that stand for no position.
 *
 * @param rows R, rows of the old table.
 * @param offset o.
 * @param length Positions of the new table.
 * @param short Repeat as lsg-converter does: floor(L / R) + 1 times, too few where L lies just over a multiple of R - o.
 * @returns Old row of every new row; o + length of them.
 */
export function tiledRows(rows: number, offset: number, length: number, short = false): number[] {
  const period = rows - offset;
  if (period < 1) {
    throw new ConversionError(
      `Cannot convert: the position table has ${rows} rows, expected more than ${offset}`,
    );
  }
  const made = short ? Math.min(length, period * (Math.floor(length / rows) + 1)) : length;
  return Array.from(
    { length: offset + made },
    (_, row) => row < offset ? row : offset + (row - offset) % period,
  );
}

/** The bytes of chosen rows, one after the other; a pure copy. */
export function copyRows(table: FloatTable, rows: readonly number[]): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(rows.length * table.rowBytes);
  rows.forEach((row, i) => copy.set(table.rowData(row), i * table.rowBytes));
  return copy;
}

/**
 * Computed positions of Pegasus, float32 [rows, width]; see `sinusoidalPositions`.
 *
 * @throws {ConversionError} For an odd width.
 */
export function computedPositions(rows: number, width: number): Float32Array<ArrayBuffer> {
  if (width % 2 === 0) return sinusoidalPositions(rows, width);
  throw new ConversionError(`Cannot convert: d_model is ${width}, expected an even number`);
}
