/**
 * Text corpora: named splits of whole documents.
 * @module
 */

import { sha256 } from "./sha256.ts";

/** One document, e.g. one speech or one chapter. */
export interface Document {
  /** Unique inside the corpus. */
  readonly id: string;
  readonly text: string;
}

/**
 * How the content of a split is vouched for:
 * - `pinned`: its SHA-256 is in the checked-in manifest;
 * - `first-use`: nobody could check it beforehand; the first download was recorded and every later
 *   use is held to that record;
 * - `local`: a file of the user's own.
 */
export type Trust = "pinned" | "first-use" | "local";

/** The documents of one split, with what a report must say about them. */
export interface CorpusSplit {
  readonly corpus: string;
  readonly split: string;
  readonly documents: readonly Document[];
  /** {@link splitSha256} of the documents. */
  readonly sha256: string;
  readonly trust: Trust;
}

/** A corpus whose splits are loaded on request. */
export interface Corpus {
  readonly id: string;
  readonly title: string;
  readonly licence: string;
  readonly splits: readonly string[];
  /** Loads and verifies one split. */
  load(split: string): Promise<CorpusSplit>;
}

/** Size of a split, as the manifest states it. */
export interface SplitCounts {
  readonly documents: number;
  /** Runs of non-whitespace. */
  readonly words: number;
  /** Unicode code points. */
  readonly characters: number;
  /** UTF-8 bytes. */
  readonly bytes: number;
}

/**
 * SHA-256 of a split: over `id LF text NUL` of each document in order, in UTF-8. It covers the
 * grouping and the order of documents, not only their text.
 */
export function splitSha256(documents: readonly Document[]): Promise<string> {
  const joined = documents.map(({ id, text }) => `${id}\n${text}\0`).join("");
  return sha256(new TextEncoder().encode(joined));
}

/** Counts documents, words, characters and bytes. */
export function countSplit(documents: readonly Document[]): SplitCounts {
  let words = 0;
  let characters = 0;
  let bytes = 0;
  for (const { text } of documents) {
    words += text.match(/\S+/g)?.length ?? 0;
    for (const _ of text) characters++;
    bytes += utf8Length(text);
  }
  return { documents: documents.length, words, characters, bytes };
}

/** UTF-8 bytes of a text. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    // A surrogate pair is two units and four bytes, so each half counts two.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}

/**
 * Decodes UTF-8 and refuses anything else: a replacement character would silently change the text
 * and its byte count.
 */
export function decodeUtf8(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new TypeError(`Cannot read ${what}: it is not UTF-8; convert it to UTF-8 first`, {
      cause,
    });
  }
}

/** Throws a RangeError for a split name that the corpus does not have. */
export function checkSplitName(corpus: string, split: string, known: readonly string[]): void {
  if (!known.includes(split)) {
    throw new RangeError(
      `Cannot load ${corpus}: split is "${split}", expected one of ${known.join(", ")}`,
    );
  }
}
