/**
 * Byte-level byte-pair encoding.
 * @module
 */

import { sha256Sync } from "../sha256.ts";
import { alphabetToBytes, BYTE_TO_CHARACTER } from "./byte_alphabet.ts";
import { IdBuffer } from "./id_buffer.ts";
import { mergeBytes, MergeTable } from "./merge_table.ts";
import { forEachPiece, GPT2_PATTERN } from "./pre_tokenizer.ts";
import { byteLengthsFromTable, checkedByteLength, checkId, type Tokenizer } from "./tokenizer.ts";
import { bytePairFromJson, bytePairToJson, type TokenizerJson } from "./tokenizer_json_format.ts";

/** What a byte-level BPE tokenizer is made of. */
export interface BytePairDefinition {
  /** Written form of every id, in the byte alphabet; special tokens as they are. */
  readonly tokens: readonly string[];
  /** Merges in order of rank, as pairs of ids whose joined token is in `tokens`. */
  readonly merges: readonly (readonly [left: number, right: number])[];
  /** Id of the end-of-text token. */
  readonly endOfText: number;
}

/** Pieces longer than this are rare and not worth a cache entry. */
const LONGEST_CACHED_PIECE = 64;
const CACHE_ENTRIES = 1 << 18;

/** GPT-2's tokenizer scheme with any vocabulary, with a cache from piece to ids. */
export class BytePairTokenizer implements Tokenizer {
  readonly name: string;
  readonly vocabSize: number;
  readonly specials: { readonly endOfText: number };
  readonly lossless = true;
  readonly definition: BytePairDefinition;
  readonly #bytes: Uint8Array[];
  readonly #lengths: Uint16Array;
  readonly #byteIds: Int32Array;
  readonly #merges: MergeTable;
  readonly #cache = new Map<string, Int32Array>();
  #fingerprint: string | undefined;

  constructor(definition: BytePairDefinition, name = `bpe-${definition.tokens.length}`) {
    this.name = name;
    this.definition = definition;
    this.vocabSize = definition.tokens.length;
    this.specials = { endOfText: definition.endOfText };
    this.#bytes = definition.tokens.map((token, id) =>
      (id === definition.endOfText ? undefined : alphabetToBytes(token)) ??
        new TextEncoder().encode(token)
    );
    this.#lengths = Uint16Array.from(this.#bytes, ({ length }) => checkedByteLength(length));
    // The end-of-text token never comes out of a text, it covers no byte of one.
    this.#lengths[definition.endOfText] = 0;
    const ids = new Map(definition.tokens.map((token, id) => [token, id]));
    this.#byteIds = Int32Array.from(BYTE_TO_CHARACTER, (character, byte) => {
      const id = ids.get(character);
      if (id === undefined) {
        throw new RangeError(
          `Cannot make a byte-level tokenizer: byte ${byte} has no token, expected all 256`,
        );
      }
      return id;
    });
    this.#merges = new MergeTable(definition.tokens, ids, definition.merges);
  }

  /** Reads a tokenizer.json whose model is byte-level BPE in GPT-2's manner. */
  static fromTokenizerJson(json: unknown): BytePairTokenizer {
    return new BytePairTokenizer(bytePairFromJson(json));
  }

  /** The standard tokenizer.json of this tokenizer. */
  toTokenizerJson(): TokenizerJson {
    return bytePairToJson(this.definition);
  }

  encode(text: string): Int32Array {
    const out = new IdBuffer(text.length / 3);
    forEachPiece(text, GPT2_PATTERN, (piece) => out.append(this.#encodePiece(piece)));
    return out.toArray();
  }

  decode(ids: Iterable<number>): string {
    const parts: Uint8Array[] = [];
    let length = 0;
    for (const id of ids) {
      checkId(id, this.vocabSize);
      parts.push(this.#bytes[id]);
      length += this.#bytes[id].length;
    }
    const bytes = new Uint8Array(length);
    let offset = 0;
    for (const part of parts) {
      bytes.set(part, offset);
      offset += part.length;
    }
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  }

  byteLengths(_text: string, ids: Int32Array): Uint16Array {
    return byteLengthsFromTable(ids, this.#lengths);
  }

  fingerprint(): string {
    this.#fingerprint ??= sha256Sync(JSON.stringify(this.toTokenizerJson()));
    return this.#fingerprint;
  }

  #encodePiece(piece: string): Int32Array {
    const known = this.#cache.get(piece);
    if (known !== undefined) return known;
    const bytes = new TextEncoder().encode(piece);
    const ids = mergeBytes(Int32Array.from(bytes, (byte) => this.#byteIds[byte]), this.#merges);
    if (piece.length <= LONGEST_CACHED_PIECE) {
      // Emptying now and then bounds the memory on hostile text and costs nothing on real text.
      if (this.#cache.size >= CACHE_ENTRIES) this.#cache.clear();
      this.#cache.set(piece, ids);
    }
    return ids;
  }
}
