import { architectureOfType } from "./architectures.ts";

/** Text of a file of the checkpoint folder; undefined where there is none. */
export type ReadText = (name: string) => Promise<string | undefined>;

/** Ids of the tokens that globals are made of; undefined where the files do not tell. */
export interface SpecialTokens {
  /** The bos token, else the cls token. */
  readonly first: number | undefined;
  readonly mask: number | undefined;
}

type Json = Record<string, unknown>;

/** Tokenizer classes that say nothing about special tokens; the second is the later name of the first. */
const GENERAL_CLASSES: readonly unknown[] = ["PreTrainedTokenizerFast", "TokenizersBackend"];

/** Files that {@link findSpecialTokens} looks at. */
export const TOKEN_FILES = [
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "tokenizer.json",
  "vocab.json",
  "vocab.txt",
] as const;

/**
 * Finds the ids from the tokenizer's files: which token is which from tokenizer_config.json or special_tokens_map.json, else the one
 * of the model type's own tokenizer class, and its id from the first file that lists it.
 *
 * @param type Type of the model, for what is usual.
 * @throws {ConversionError} For a type that cannot be converted.
 * @throws {SyntaxError} If a file that should be JSON is not.
 */
export async function findSpecialTokens(type: unknown, read: ReadText): Promise<SpecialTokens> {
  const { tokens } = architectureOfType(type);
  const json = async (name: string) => {
    const text = await read(name);
    if (text === undefined) return undefined;
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  };
  const config = await json("tokenizer_config.json");
  const map = await json("special_tokens_map.json");
  const named = (name: string) => content(config?.[name]) ?? content(map?.[name]);
  const usual = GENERAL_CLASSES.includes(config?.tokenizer_class) ? undefined : tokens;
  const first = named("bos_token") ?? named("cls_token") ?? usual?.first;
  const mask = named("mask_token") ?? usual?.mask;
  const wanted = [first, mask].filter((token) => token !== undefined);
  const ids = new Map<string, number>();
  const add = (entries: Iterable<readonly [string, unknown]>) => {
    for (const [token, id] of entries) {
      if (wanted.includes(token) && Number.isInteger(id) && !ids.has(token)) {
        ids.set(token, id as number);
      }
    }
  };
  const complete = () => wanted.every((token) => ids.has(token));
  add(
    Object.entries(object(config?.added_tokens_decoder)).map(([id, token]) =>
      [content(token) ?? "", Number(id)] as const
    ),
  );
  if (!complete()) add(Object.entries(object(await json("added_tokens.json"))));
  if (!complete()) add(tokenizerEntries(await json("tokenizer.json")));
  if (!complete()) add(Object.entries(object(await json("vocab.json"))));
  if (!complete()) {
    const lines = (await read("vocab.txt"))?.split(/\r?\n/) ?? [];
    add(lines.map((token, id) => [token, id] as const));
  }
  const id = (token: string | undefined) => token === undefined ? undefined : ids.get(token);
  return { first: id(first), mask: id(mask) };
}

/** Tokens of a tokenizer.json: added ones first, then the model's vocabulary (a map, or a list of [piece, score]). */
function* tokenizerEntries(file: Json | undefined): Generator<readonly [string, unknown]> {
  for (const token of Array.isArray(file?.added_tokens) ? file.added_tokens : []) {
    if (isObject(token)) yield [content(token) ?? "", token.id];
  }
  const vocabulary = object(file?.model).vocab;
  if (Array.isArray(vocabulary)) {
    for (const [id, entry] of vocabulary.entries()) {
      if (Array.isArray(entry)) yield [String(entry[0]), id];
    }
  } else yield* Object.entries(object(vocabulary));
}

/** A token as the files write it: its text, or an object that holds it. */
function content(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return isObject(value) && typeof value.content === "string" ? value.content : undefined;
}

function object(value: unknown): Json {
  return isObject(value) ? value : {};
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
