/** Reader and writer of the safetensors format (huggingface/safetensors): 8-byte header length, JSON header, raw data. */

/** Element types this module reads; it writes F32, I32 and U32. */
export type SafetensorsType = "F64" | "F32" | "F16" | "BF16" | "I64" | "I32" | "U32" | "U8";

/** One stored tensor. Integer types of 64 bits are given as numbers. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly type: SafetensorsType;
  readonly data: Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;
}

/** Contents of a file. */
export interface SafetensorsFile {
  readonly tensors: Map<string, StoredTensor>;
  readonly metadata: Record<string, string>;
}

/** A file that is not what it claims to be. */
export class SafetensorsError extends Error {
  override readonly name = "SafetensorsError";
}

const BYTES: Record<SafetensorsType, number> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  U32: 4,
  U8: 1,
};
/** A header larger than this is refused before it is parsed. */
const MAX_HEADER_BYTES = 100 << 20;

/** Serialises tensors in the order of the map. */
export function writeSafetensors(
  tensors: ReadonlyMap<
    string,
    { shape: readonly number[]; data: Float32Array | Int32Array | Uint32Array }
  >,
  metadata: Record<string, string> = {},
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const [name, { shape, data }] of tensors) {
    const dtype = data instanceof Float32Array ? "F32" : data instanceof Int32Array ? "I32" : "U32";
    header[name] = { dtype, shape, data_offsets: [end, end += data.byteLength] };
  }
  let json = new TextEncoder().encode(JSON.stringify(header));
  // The format lets a header end in spaces, which aligns the data.
  const padded = new Uint8Array(Math.ceil(json.length / 8) * 8).fill(0x20);
  padded.set(json);
  json = padded;
  const file = new Uint8Array(8 + json.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  let at = 8 + json.length;
  for (const { data } of tensors.values()) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}

/**
 * Parses a file, checking every offset.
 *
 * @param bytes The whole file.
 * @param name What to call it in errors.
 * @throws {SafetensorsError} If the file is truncated, overlapping or otherwise malformed.
 */
export function readSafetensors(bytes: Uint8Array, name = "the file"): SafetensorsFile {
  const fail = (detail: string): never => {
    throw new SafetensorsError(
      `Cannot read ${name} as safetensors: ${detail}; fetch or write it again`,
    );
  };
  if (bytes.length < 8) fail(`it has ${bytes.length} bytes, expected at least 8`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = Number(view.getBigUint64(0, true));
  if (headerBytes > MAX_HEADER_BYTES || 8 + headerBytes > bytes.length) {
    fail(`its header claims ${headerBytes} bytes but the file has ${bytes.length}`);
  }
  const header = parseHeader(bytes.subarray(8, 8 + headerBytes), fail);
  const { __metadata__: metadata = {}, ...entries } = header;
  const dataStart = 8 + headerBytes;
  const tensors = new Map<string, StoredTensor>();
  for (const [key, entry] of Object.entries(entries)) {
    const { dtype, shape, data_offsets: [begin, end] = [NaN, NaN] } = entry as {
      dtype: SafetensorsType;
      shape: number[];
      data_offsets: [number, number];
    };
    if (!(dtype in BYTES)) {
      fail(`tensor ${key} has type ${dtype}, expected one of ${Object.keys(BYTES).join(", ")}`);
    }
    const size = shape.reduce((product, n) => product * n, 1);
    if (!(begin >= 0 && end - begin === size * BYTES[dtype])) {
      fail(
        `tensor ${key} [${shape}] spans bytes ${begin} to ${end}, expected ${
          size * BYTES[dtype]
        } bytes`,
      );
    }
    if (dataStart + end > bytes.length) {
      fail(`it ends inside tensor ${key}: ${bytes.length} bytes, expected ${dataStart + end}`);
    }
    const raw = bytes.slice(dataStart + begin, dataStart + end);
    tensors.set(key, { shape, type: dtype, data: decode(raw, dtype) });
  }
  return { tensors, metadata: metadata as Record<string, string> };
}

function parseHeader(bytes: Uint8Array, fail: (detail: string) => never): Record<string, unknown> {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    return fail(`its header is not JSON (${(error as Error).message})`);
  }
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
