/**
 * One id per UTF-8 byte.
 * @module
 */

import { sha256Sync } from "../sha256.ts";
import { checkId, END_OF_TEXT, type Tokenizer } from "./tokenizer.ts";

const END_OF_TEXT_ID = 256;

/** UTF-8 bytes as ids 0-255, and 256 for the end of a text. */
export class ByteTokenizer implements Tokenizer {
  readonly name = "byte";
  readonly vocabSize = 257;
  readonly specials = { endOfText: END_OF_TEXT_ID };
  readonly lossless = true;

  encode(text: string): Int32Array {
    return Int32Array.from(new TextEncoder().encode(text));
  }

  decode(ids: Iterable<number>): string {
    const end = new TextEncoder().encode(END_OF_TEXT);
    const bytes: number[] = [];
    for (const id of ids) {
      checkId(id, this.vocabSize);
      if (id === END_OF_TEXT_ID) bytes.push(...end);
      else bytes.push(id);
    }
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
  }

  byteLengths(_text: string, ids: Int32Array): Uint16Array {
    return new Uint16Array(ids.length).fill(1);
  }

  fingerprint(): string {
    return sha256Sync("byte tokenizer, end of text 256");
  }
}
