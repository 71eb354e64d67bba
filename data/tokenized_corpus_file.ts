/**
 * The file of a cached token stream: 32 bytes of SHA-256 over the rest, the 32 bytes of the cache key, the count
 * of tokens as u32, the ids as i32, the byte lengths as u16; little-endian.
 * @module
 */

import { sha256 } from "./sha256.ts";

const KEY_OFFSET = 32;
const COUNT_OFFSET = 64;
const IDS_OFFSET = 68;
const BYTES_PER_TOKEN = 6;

/** The two arrays of a token stream, of equal length. */
export interface TokenArrays {
  readonly ids: Int32Array<ArrayBuffer>;
  readonly byteLengths: Uint16Array<ArrayBuffer>;
}

/** Writes a token stream. @param key 64 hexadecimal digits naming tokenizer and text. */
export async function encodeTokenizedCorpus(
  { ids, byteLengths }: TokenArrays,
  key: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const file = new Uint8Array(IDS_OFFSET + ids.length * BYTES_PER_TOKEN);
  const view = new DataView(file.buffer);
  file.set(Uint8Array.fromHex(key), KEY_OFFSET);
  view.setUint32(COUNT_OFFSET, ids.length, true);
  // Every runtime of the suite is little-endian, as WebGPU itself requires.
  file.set(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength), IDS_OFFSET);
  file.set(
    new Uint8Array(byteLengths.buffer, byteLengths.byteOffset, byteLengths.byteLength),
    IDS_OFFSET + ids.byteLength,
  );
  file.set(Uint8Array.fromHex(await sha256(file.subarray(KEY_OFFSET))));
  return file;
}

/** Reads a token stream; `undefined` when it is damaged or belongs to another key. */
export async function decodeTokenizedCorpus(
  file: Uint8Array<ArrayBuffer>,
  key: string,
): Promise<TokenArrays | undefined> {
  if (file.length < IDS_OFFSET) return undefined;
  const digest = file.subarray(0, KEY_OFFSET).toHex();
  if (await sha256(file.subarray(KEY_OFFSET)) !== digest) return undefined;
  if (file.subarray(KEY_OFFSET, COUNT_OFFSET).toHex() !== key) return undefined;
  const count = new DataView(file.buffer, file.byteOffset).getUint32(COUNT_OFFSET, true);
  if (file.length !== IDS_OFFSET + count * BYTES_PER_TOKEN) return undefined;
  // Copies, because a typed array needs an aligned offset.
  const lengthsOffset = IDS_OFFSET + count * 4;
  return {
    ids: new Int32Array(file.slice(IDS_OFFSET, lengthsOffset).buffer),
    byteLengths: new Uint16Array(file.slice(lengthsOffset).buffer),
  };
}
