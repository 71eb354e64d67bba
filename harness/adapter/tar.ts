/** One regular file of a tar archive. */
export interface TarEntry {
  /** Path inside the archive without a leading `./`. */
  readonly name: string;
  /** A view into the archive; copy it before the archive is reused. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const BLOCK = 512;

/**
 * Reads the regular files of an uncompressed ustar or GNU tar archive. Links, folders and metadata
 * records are passed over: nothing is ever written to a path that the archive names.
 *
 * @throws {RangeError} When a header's checksum is wrong or the archive ends inside a file.
 */
export function readTar(archive: Uint8Array<ArrayBuffer>): TarEntry[] {
  const entries: TarEntry[] = [];
  let offset = 0;
  while (true) {
    const header = archive.subarray(offset, offset + BLOCK);
    if (header.length < BLOCK) throw truncated(offset);
    if (header.every((byte) => byte === 0)) return entries; // end-of-archive block
    if (readOctal(header, 148, 8) !== checksum(header)) {
      throw new RangeError(`Cannot read tar archive: the header at byte ${offset} is damaged`);
    }
    const size = readOctal(header, 124, 12);
    const start = offset + BLOCK;
    if (start + size > archive.length) throw truncated(offset);
    const type = header[156];
    if (type === 0 || type === 0x30) { // "\0" and "0" both mean a regular file
      entries.push({ name: readName(header), bytes: archive.subarray(start, start + size) });
    }
    offset = start + Math.ceil(size / BLOCK) * BLOCK;
  }
}

function truncated(offset: number): RangeError {
  return new RangeError(`Cannot read tar archive: it ends inside the entry at byte ${offset}`);
}

/** Sum of the header's bytes with the checksum field itself counted as spaces. */
function checksum(header: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 0x20 : header[i];
  return sum;
}

function readName(header: Uint8Array): string {
  const isUstar = readText(header, 257, 5) === "ustar";
  const prefix = isUstar && header[263] !== 0 && header[345] !== 0
    ? readText(header, 345, 155)
    : "";
  const name = readText(header, 0, 100);
  return (prefix ? `${prefix}/${name}` : name).replace(/^(\.\/)+/, "");
}

function readText(header: Uint8Array, start: number, length: number): string {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

function readOctal(header: Uint8Array, start: number, length: number): number {
  const value = Number.parseInt(readText(header, start, length).trim() || "0", 8);
  return Number.isSafeInteger(value) && value >= 0 ? value : NaN;
}
