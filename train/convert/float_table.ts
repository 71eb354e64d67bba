import { ConversionError } from "./conversion_error.ts";

/** Types of tables that the conversion computes with. */
export type FloatType = "F32" | "F16" | "BF16";

/** A stored matrix: little-endian elements, row by row. */
export interface StoredTable {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** A matrix [rows, width] of floating-point numbers whose rows are decoded one at a time. */
export class FloatTable {
  readonly dtype: FloatType;
  readonly rows: number;
  readonly width: number;
  readonly #data: Uint8Array;

  /**
   * @param table As stored.
   * @param name Its key, for errors.
   * @throws {ConversionError} If it is no matrix of F32, F16 or BF16, or its bytes do not fit its shape.
   */
  constructor(table: StoredTable, name: string) {
    const { dtype, shape, data } = table;
    if (shape.length !== 2) {
      throw new ConversionError(`Cannot convert: ${name} has shape [${shape}], expected a matrix`);
    }
    if (dtype !== "F32" && dtype !== "F16" && dtype !== "BF16") {
      throw new ConversionError(
        `Cannot convert: ${name} has type ${dtype}, expected F32, F16 or BF16; ` +
          "store the checkpoint in one of these first",
      );
    }
    this.dtype = dtype;
    [this.rows, this.width] = shape;
    this.#data = data;
    if (data.length !== this.rows * this.rowBytes) {
      throw new ConversionError(
        `Cannot convert: ${name} has ${data.length} bytes, expected ${this.rows * this.rowBytes}`,
      );
    }
  }

  /** Bytes of one row. */
  get rowBytes(): number {
    return this.width * (this.dtype === "F32" ? 4 : 2);
  }

  /** The stored bytes of a row, not copied. */
  rowData(row: number): Uint8Array {
    return this.#data.subarray(row * this.rowBytes, (row + 1) * this.rowBytes);
  }

  /** The numbers of a row. */
  row(row: number): Float32Array {
    const raw = this.rowData(row).slice().buffer;
    if (this.dtype === "F32") return new Float32Array(raw);
    const halves = new Uint16Array(raw);
    if (this.dtype === "F16") return Float32Array.from(new Float16Array(raw));
    return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
  }
}

/** Elements in the byte order of the file, rounded to the nearest value of the type, ties to even. */
export function encodeFloats(values: Float32Array<ArrayBuffer>, dtype: FloatType): Uint8Array {
  if (dtype === "F32") return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  if (dtype === "F16") return new Uint8Array(Float16Array.from(values).buffer);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = Uint16Array.from(bits, (word, i) => {
    if (Number.isNaN(values[i])) return 0x7fc0;
    return (word + 0x7fff + (word >>> 16 & 1)) >>> 16;
  });
  return new Uint8Array(halves.buffer);
}
