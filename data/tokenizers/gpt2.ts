/**
 * GPT-2's own tokenizer, by the package `gpt-tokenizer`.
 * @module
 */

import { sha256Sync } from "../sha256.ts";
import { byteLengthsFromTable, checkId, END_OF_TEXT, type Tokenizer } from "./tokenizer.ts";

const END_OF_TEXT_ID = 50256;

/** Loads GPT-2's vocabulary (0.6 MB) and gives its tokenizer: 50,257 ids. */
export async function openGpt2Tokenizer(): Promise<Tokenizer> {
  // On request only: commands that need no tokenizer must not load the ranks.
  const [{ encode }, { default: ranks }] = await Promise.all([
    import("gpt-tokenizer/encoding/gpt2"),
    import("gpt-tokenizer/bpeRanks/r50k_base"),
  ]);
  return new Gpt2Tokenizer(
    (text) => encode(text, { disallowedSpecial: new Set() }),
    ranks as readonly (string | readonly number[])[],
  );
}

class Gpt2Tokenizer implements Tokenizer {
  readonly name = "gpt2";
  readonly vocabSize = END_OF_TEXT_ID + 1;
  readonly specials = { endOfText: END_OF_TEXT_ID };
  readonly lossless = true;
  readonly #encode: (text: string) => number[];
  readonly #bytes: readonly Uint8Array[];
  readonly #lengths: Uint16Array;
  #fingerprint: string | undefined;

  constructor(
    encode: (text: string) => number[],
    ranks: readonly (string | readonly number[])[],
  ) {
    this.#encode = encode;
    const encoder = new TextEncoder();
    // A token that is not UTF-8 by itself is listed as bytes.
    const tokens = Array.from(
      ranks,
      (token) => typeof token === "string" ? encoder.encode(token) : Uint8Array.from(token),
    );
    if (tokens.length !== END_OF_TEXT_ID) {
      throw new RangeError(
        `Cannot open the GPT-2 tokenizer: it has ${tokens.length} tokens, expected 50256`,
      );
    }
    this.#bytes = [...tokens, encoder.encode(END_OF_TEXT)];
    this.#lengths = Uint16Array.from([...tokens.map(({ length }) => length), 0]);
  }

  encode(text: string): Int32Array {
    return Int32Array.from(this.#encode(text));
  }

  decode(ids: Iterable<number>): string {
    const bytes: number[] = [];
    for (const id of ids) {
      checkId(id, this.vocabSize);
      bytes.push(...this.#bytes[id]);
    }
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
  }

  byteLengths(_text: string, ids: Int32Array): Uint16Array {
    return byteLengthsFromTable(ids, this.#lengths);
  }

  fingerprint(): string {
    this.#fingerprint ??= sha256Sync(
      "gpt2\n" + this.#bytes.map((token) => token.toHex()).join("\n"),
    );
    return this.#fingerprint;
  }
}
