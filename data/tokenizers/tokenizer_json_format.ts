/**
 * The tokenizer.json form of a byte-level BPE tokenizer, written and read.
 * @module
 */

import type { BytePairDefinition } from "./bpe.ts";

/** The part of the tokenizer.json format that this suite writes. */
export interface TokenizerJson {
  readonly version: "1.0";
  readonly truncation: null;
  readonly padding: null;
  readonly added_tokens: readonly AddedToken[];
  readonly normalizer: null;
  readonly pre_tokenizer: Readonly<Record<string, unknown>>;
  readonly post_processor: null;
  readonly decoder: Readonly<Record<string, unknown>>;
  readonly model: {
    readonly type: "BPE";
    readonly dropout: null;
    readonly unk_token: null;
    readonly continuing_subword_prefix: null;
    readonly end_of_word_suffix: null;
    readonly fuse_unk: false;
    readonly byte_fallback: false;
    readonly ignore_merges: false;
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges: readonly (readonly [string, string])[];
  };
}

interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly single_word: false;
  readonly lstrip: false;
  readonly rstrip: false;
  readonly normalized: false;
  readonly special: true;
}

/** Writes a definition as tokenizer.json. */
export function bytePairToJson(definition: BytePairDefinition): TokenizerJson {
  const { tokens, merges, endOfText } = definition;
  const byteLevel = {
    type: "ByteLevel",
    add_prefix_space: false,
    trim_offsets: true,
    use_regex: true,
  };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [{
      id: endOfText,
      content: tokens[endOfText],
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    }],
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: merges.map(([left, right]) => [tokens[left], tokens[right]]),
    },
  };
}

/**
 * Reads the definition from a parsed tokenizer.json.
 *
 * Anything that would make ids differ from GPT-2's scheme (a normaliser, another pre-tokeniser, a
 * prefix space, byte fallback) is refused: load such a file with `openTokenizerJson` instead.
 */
export function bytePairFromJson(json: unknown): BytePairDefinition {
  const { model, pre_tokenizer: pre, normalizer, added_tokens: added } = json as {
    model?: Record<string, unknown>;
    pre_tokenizer?: Record<string, unknown> | null;
    normalizer?: unknown;
    added_tokens?: { id: number; content: string; special: boolean }[];
  };
  const plain = model?.type === "BPE" && !normalizer && pre?.type === "ByteLevel" &&
    pre.add_prefix_space === false && pre.use_regex !== false && !model.byte_fallback &&
    !model.dropout && !model.ignore_merges && !model.continuing_subword_prefix &&
    !model.end_of_word_suffix;
  if (!plain) {
    throw new TypeError(
      "Cannot read tokenizer.json as byte-level BPE: its model, normaliser or pre-tokeniser is of " +
        "another kind; load it with openTokenizerJson()",
    );
  }
  const vocab = { ...model.vocab as Record<string, number> };
  for (const { id, content } of added ?? []) vocab[content] = id;
  const tokens: string[] = [];
  for (const [token, id] of Object.entries(vocab)) tokens[id] = token;
  if (tokens.length !== Object.keys(vocab).length || tokens.includes(undefined as never)) {
    throw new RangeError(
      `Cannot read tokenizer.json: ids reach ${tokens.length - 1} for ` +
        `${Object.keys(vocab).length} tokens, expected every id once`,
    );
  }
  const merges = (model.merges as (string | [string, string])[]).map((merge) => {
    const [left, right] = typeof merge === "string" ? merge.split(" ") : merge;
    if (vocab[left] === undefined || vocab[right] === undefined) {
      throw new RangeError(`Cannot read tokenizer.json: merge "${merge}" is not in the vocabulary`);
    }
    return [vocab[left], vocab[right]] as const;
  });
  const endOfText = added?.find(({ special }) => special)?.id;
  if (endOfText === undefined) {
    throw new TypeError("Cannot read tokenizer.json: it has no special token to end a text with");
  }
  return { tokens, merges, endOfText };
}
