/**
 * Any tokenizer.json, by the package `@huggingface/tokenizers`.
 * @module
 */

import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import { utf8Length } from "../corpus.ts";
import { sha256Sync } from "../sha256.ts";
import { IdBuffer } from "./id_buffer.ts";
import { checkId, spreadByteLengths, type Tokenizer } from "./tokenizer.ts";

/** Settings of {@link openTokenizerJson}. */
export interface TokenizerJsonOptions {
  /** Name for reports. */
  readonly name: string;
  /** Contents of tokenizer_config.json, where there is one. */
  readonly config?: Readonly<Record<string, unknown>>;
  /**
   * Written form of the token that ends a text.
   * @default the first of `<|endoftext|>`, `</s>`, `<eos>`, `[SEP]` in the vocabulary
   */
  readonly endOfText?: string;
}

const END_OF_TEXT_FORMS = ["<|endoftext|>", "</s>", "<eos>", "[SEP]"];

/**
 * Characters given to the library in one call: its Unigram model works by recursion and runs out of
 * stack on a long text.
 */
const CALL_CHARACTERS = 2048;

/** Opens a parsed tokenizer.json of any kind the library knows. */
export function openTokenizerJson(json: unknown, options: TokenizerJsonOptions): Tokenizer {
  const { name, config = {}, endOfText } = options;
  const library = new LibraryTokenizer(json as never, config as never);
  const forms = endOfText === undefined ? END_OF_TEXT_FORMS : [endOfText];
  const end = forms.map((form) => library.token_to_id(form)).find((id) => id !== undefined);
  if (end === undefined) {
    throw new RangeError(
      `Cannot open tokenizer ${name}: none of ${forms.join(", ")} is in its vocabulary; ` +
        "name its end-of-text token",
    );
  }
  return new JsonTokenizer(library, json, name, end);
}

class JsonTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly specials: { readonly endOfText: number };
  readonly lossless: boolean;
  readonly #library: LibraryTokenizer;
  readonly #prefixesSpace: boolean;
  readonly #fingerprint: string;
  readonly #json: unknown;

  constructor(library: LibraryTokenizer, json: unknown, readonly name: string, endOfText: number) {
    this.#library = library;
    this.#json = json;
    this.#prefixesSpace = prefixesSpace(json);
    this.specials = { endOfText };
    this.vocabSize = countIds(json);
    this.lossless = isByteLevel(json) && !this.#prefixesSpace;
    this.#fingerprint = sha256Sync(JSON.stringify(json));
  }

  encode(text: string): Int32Array {
    const out = new IdBuffer(text.length / 3);
    for (const part of splitForCalls(text, this.#prefixesSpace)) {
      out.append(this.#library.encode(part, { add_special_tokens: false }).ids);
    }
    return out.toArray();
  }

  decode(ids: Iterable<number>): string {
    const list = [...ids];
    for (const id of list) checkId(id, this.vocabSize);
    return list.length === 0 ? "" : this.#library.decode(list, {
      skip_special_tokens: false,
      clean_up_tokenization_spaces: false,
    });
  }

  byteLengths(text: string, ids: Int32Array): Uint16Array {
    return spreadByteLengths(utf8Length(text), ids.length);
  }

  fingerprint(): string {
    return this.#fingerprint;
  }

  toTokenizerJson(): unknown {
    return this.#json;
  }
}

/**
 * Cuts a text in front of a single space between two other characters, where no tokenizer of the
 * usual kinds looks across. With a tokenizer that puts a space in front of every text the space
 * itself is dropped, because the library adds it back.
 */
function* splitForCalls(text: string, dropSpace: boolean): Generator<string> {
  let start = 0;
  while (text.length - start > CALL_CHARACTERS) {
    const cut = findCut(text, start + CALL_CHARACTERS / 2);
    if (cut < 0) break;
    yield text.slice(start, cut);
    start = dropSpace ? cut + 1 : cut;
  }
  if (start < text.length) yield text.slice(start);
}

function findCut(text: string, from: number): number {
  const found = text.slice(from).search(/(?<=[\p{L}\p{N}.,;:]) (?=[\p{L}\p{N}])/u);
  return found < 0 ? -1 : from + found;
}

interface Component {
  readonly type?: string;
  readonly add_prefix_space?: boolean;
  readonly prepend_scheme?: string;
  readonly pretokenizers?: readonly Component[];
  readonly normalizers?: readonly Component[];
}

interface Parts {
  readonly normalizer?: Component | null;
  readonly pre_tokenizer?: Component | null;
  readonly added_tokens?: readonly { readonly id: number }[];
  readonly model?: { readonly vocab?: Readonly<Record<string, number>> | readonly unknown[] };
}

function flatten(component: Component | null | undefined): Component[] {
  if (!component) return [];
  const inner = [...component.pretokenizers ?? [], ...component.normalizers ?? []];
  return [component, ...inner.flatMap(flatten)];
}

function prefixesSpace(json: unknown): boolean {
  const { normalizer, pre_tokenizer } = json as Parts;
  return [...flatten(normalizer), ...flatten(pre_tokenizer)].some((part) =>
    part.type === "Prepend" ||
    (part.type === "ByteLevel" && part.add_prefix_space === true) ||
    (part.type === "Metaspace" && part.add_prefix_space !== false &&
      part.prepend_scheme !== "never")
  );
}

function isByteLevel(json: unknown): boolean {
  const { normalizer, pre_tokenizer } = json as Parts;
  return !normalizer && flatten(pre_tokenizer).some(({ type }) => type === "ByteLevel");
}

function countIds(json: unknown): number {
  const { model, added_tokens = [] } = json as Parts;
  const vocab = model?.vocab ?? [];
  const ids = Array.isArray(vocab)
    ? [vocab.length - 1]
    : Object.values(vocab as Record<string, number>);
  return [...ids, ...added_tokens.map(({ id }) => id)].reduce((a, b) => Math.max(a, b), -1) + 1;
}
