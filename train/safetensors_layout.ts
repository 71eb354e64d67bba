import { SafetensorsError } from "./safetensors_error.ts";

/** Bytes of one element by the type's name in the format. */
export const ELEMENT_BYTES: Readonly<Record<string, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
};

/** Where a tensor lies in a file. */
export interface TensorPlace {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** First byte, counted from the beginning of the file. */
  readonly begin: number;
  /** First byte after it. */
  readonly end: number;
}

/** The header of a safetensors file, for reading single tensors. */
export interface SafetensorsLayout {
  /** In the order of their bytes. */
  readonly tensors: ReadonlyMap<string, TensorPlace>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Bytes before the JSON header: its length. */
export const LENGTH_BYTES = 8;
/** A header larger than this is refused before it is read. */
const MAX_HEADER_BYTES = 100 << 20;

/**
 * Length of the JSON header in bytes.
 *
 * @param start The file, or its first 8 bytes.
 * @param fileBytes Size of the file.
 * @param name What to call it in errors.
 * @throws {SafetensorsError} If the file is too short for it.
 */
export function headerLength(start: Uint8Array, fileBytes: number, name: string): number {
  if (start.length < LENGTH_BYTES) {
    throw refusal(name, `it has ${fileBytes} bytes, expected at least ${LENGTH_BYTES}`);
  }
  const length = Number(new DataView(start.buffer, start.byteOffset).getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES || LENGTH_BYTES + length > fileBytes) {
    throw refusal(name, `its header claims ${length} bytes but the file has ${fileBytes}`);
  }
  return length;
}

/**
 * Reads a JSON header, trusting nothing: every type, shape and range is checked, and the ranges must fill the file without gap or
 * overlap, as the format asks.
 *
 * @param header The JSON.
 * @param fileBytes Size of the file.
 * @param name What to call it in errors.
 * @throws {SafetensorsError} If it is malformed or does not fit the file.
 */
export function readLayout(
  header: Uint8Array,
  fileBytes: number,
  name: string,
): SafetensorsLayout {
  const { __metadata__: metadata = {}, ...entries } = parse(header, name);
  if (!isObject(metadata) || Object.values(metadata).some((text) => typeof text !== "string")) {
    throw refusal(name, "its __metadata__ is no map of texts");
  }
  const start = LENGTH_BYTES + header.length;
  const places = Object.entries(entries)
    .map(([key, entry]) => [key, readPlace(key, entry, start, name)] as const)
    .sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let at = start;
  for (const [key, { begin, end }] of places) {
    if (begin !== at) {
      throw refusal(name, `tensor ${key} begins at byte ${begin}, expected ${at}`);
    }
    at = end;
  }
  if (at !== fileBytes) {
    throw refusal(name, `it has ${fileBytes} bytes, its header describes ${at}`);
  }
  return { tensors: new Map(places), metadata: metadata as Record<string, string> };
}

/**
 * The beginning of a file: the length and the JSON header, padded so that data begins at a multiple of 8.
 *
 * @param tensors In the order of their bytes, which follow one another.
 */
export function encodeHeader(
  tensors: Iterable<
    readonly [string, { readonly dtype: string; readonly shape: readonly number[] }]
  >,
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const [key, { dtype, shape }] of tensors) {
    header[key] = { dtype, shape, data_offsets: [end, end += tensorBytes(dtype, shape)] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  // The format lets a header end in spaces.
  const length = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(LENGTH_BYTES + length).fill(0x20, LENGTH_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, LENGTH_BYTES);
  return bytes;
}

/** Bytes of a tensor of a known type. */
export function tensorBytes(dtype: string, shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, ELEMENT_BYTES[dtype]);
}

function readPlace(key: string, entry: unknown, start: number, name: string): TensorPlace {
  // As a key of an object it would not be written again.
  if (key === "__proto__") throw refusal(name, "a tensor is named __proto__");
  const { dtype, shape, data_offsets: offsets } = isObject(entry) ? entry : {};
  if (typeof dtype !== "string" || !Object.hasOwn(ELEMENT_BYTES, dtype)) {
    const known = Object.keys(ELEMENT_BYTES).join(", ");
    throw refusal(
      name,
      `tensor ${key} has type ${JSON.stringify(dtype)}, expected one of ${known}`,
    );
  }
  if (!isCounts(shape) || !isCounts(offsets) || offsets.length !== 2) {
    throw refusal(name, `tensor ${key} has no shape and data_offsets of whole numbers`);
  }
  const [begin, end] = offsets;
  const size = tensorBytes(dtype, shape);
  if (end - begin !== size) {
    throw refusal(
      name,
      `tensor ${key} [${shape}] spans bytes ${begin} to ${end}, expected ${size} bytes`,
    );
  }
  return { dtype, shape, begin: start + begin, end: start + end };
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function parse(header: Uint8Array, name: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(header));
  } catch (error) {
    throw refusal(name, `its header is not JSON (${(error as Error).message})`);
  }
  if (isObject(value)) return value;
  throw refusal(name, "its header is no map of tensors");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refusal(name: string, detail: string): SafetensorsError {
  return new SafetensorsError(
    `Cannot read ${name} as safetensors: ${detail}; fetch or write it again`,
  );
}
