/** Reader and writer of the safetensors format (huggingface/safetensors): 8-byte header length, JSON header, raw data. */
import { SafetensorsError } from "./safetensors_error.ts";
import { encodeHeader, headerLength, LENGTH_BYTES, readLayout } from "./safetensors_layout.ts";

const READ_TYPES = ["F64", "F32", "F16", "BF16", "I64", "I32", "U32", "U8"] as const;

/** Element types this module reads; it writes F32, I32 and U32. */
export type SafetensorsType = typeof READ_TYPES[number];

/** One stored tensor. Integer types of 64 bits are given as numbers. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly type: SafetensorsType;
  readonly data: Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;
}

/** Contents of a file. */
export interface SafetensorsFile {
  readonly tensors: Map<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Serialises tensors in the order of the map. */
export function writeSafetensors(
  tensors: ReadonlyMap<
    string,
    { shape: readonly number[]; data: Float32Array | Int32Array | Uint32Array }
  >,
  metadata: Record<string, string> = {},
): Uint8Array<ArrayBuffer> {
  const entries = [...tensors.values()].map(({ data }) => data);
  const header = encodeHeader(
    Array.from(tensors, ([key, { shape, data }]) => [key, { dtype: typeOf(data), shape }]),
    metadata,
  );
  const end = entries.reduce((bytes, data) => bytes + data.byteLength, header.length);
  const file = new Uint8Array(end);
  file.set(header);
  let at = header.length;
  for (const data of entries) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}

function typeOf(data: Float32Array | Int32Array | Uint32Array): SafetensorsType {
  return data instanceof Float32Array ? "F32" : data instanceof Int32Array ? "I32" : "U32";
}

/**
 * Parses a file, checking its header as `readLayout` does.
 *
 * @param bytes The whole file.
 * @param name What to call it in errors.
 * @throws {SafetensorsError} If the file is truncated or malformed, or has a type that this module does not read.
 */
export function readSafetensors(bytes: Uint8Array, name = "the file"): SafetensorsFile {
  const start = LENGTH_BYTES + headerLength(bytes, bytes.length, name);
  const layout = readLayout(bytes.subarray(LENGTH_BYTES, start), bytes.length, name);
  const tensors = new Map<string, StoredTensor>();
  for (const [key, { dtype, shape, begin, end }] of layout.tensors) {
    if (!isRead(dtype)) {
      throw new SafetensorsError(
        `Cannot read ${name} as safetensors: tensor ${key} has type ${dtype}, expected one of ${
          READ_TYPES.join(", ")
        }; store it as another type`,
      );
    }
    tensors.set(key, { shape, type: dtype, data: decode(bytes.slice(begin, end), dtype) });
  }
  return { tensors, metadata: layout.metadata };
}

function isRead(dtype: string): dtype is SafetensorsType {
  return (READ_TYPES as readonly string[]).includes(dtype);
}

function decode(raw: Uint8Array<ArrayBuffer>, type: SafetensorsType): StoredTensor["data"] {
  switch (type) {
    case "F32":
      return new Float32Array(raw.buffer);
    case "F64":
      return new Float64Array(raw.buffer);
    case "I32":
      return new Int32Array(raw.buffer);
    case "U32":
      return new Uint32Array(raw.buffer);
    case "U8":
      return raw;
    case "I64":
      return Float64Array.from(new BigInt64Array(raw.buffer), Number);
    case "F16":
      return Float32Array.from(new Uint16Array(raw.buffer), halfToFloat);
    case "BF16": {
      const bits = Uint32Array.from(new Uint16Array(raw.buffer), (half) => half << 16);
      return new Float32Array(bits.buffer);
    }
  }
}

/** IEEE 754 binary16 bits to a number. */
function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent === 0
    ? sign * fraction * 2 ** -24
    : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
