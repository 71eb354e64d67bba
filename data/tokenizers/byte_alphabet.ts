/**
 * The byte-level alphabet of GPT-2: every byte has one printable character, so that merges and
 * vocabularies can be written as text.
 * @module
 */

/** Character of each byte. */
export const BYTE_TO_CHARACTER: readonly string[] = makeAlphabet();

const CHARACTER_TO_BYTE = new Map(BYTE_TO_CHARACTER.map((character, byte) => [character, byte]));

/** The 256 characters in order of code point: the order in which a vocabulary lists them. */
export const SORTED_ALPHABET: readonly string[] = [...BYTE_TO_CHARACTER].sort(
  (a, b) => a.charCodeAt(0) - b.charCodeAt(0),
);

/** Bytes of a token written in the alphabet, or `undefined` when a character is outside it. */
export function alphabetToBytes(token: string): Uint8Array | undefined {
  const bytes = new Uint8Array(token.length);
  for (let i = 0; i < token.length; i++) {
    const byte = CHARACTER_TO_BYTE.get(token[i]);
    if (byte === undefined) return undefined;
    bytes[i] = byte;
  }
  return bytes;
}

// Printable Latin-1 stands for itself; the other bytes take the code points from 256 on, in order.
function makeAlphabet(): string[] {
  const printable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 256;
  return Array.from(
    { length: 256 },
    (_, byte) => String.fromCharCode(printable(byte) ? byte : next++),
  );
}
