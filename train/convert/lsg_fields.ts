import {
  checkLsgPattern,
  LsgPatternError,
  MAX_GLOBALS,
  selectionOf,
  SPARSITY_TYPES,
  type SparsityType,
} from "../../attention/lsg/mod.ts";
import { LSG_CONFIG_DEFAULTS, lsgAttentionFromConfig, PublishedConfig } from "../../models/mod.ts";
import { ConversionError } from "./conversion_error.ts";

/** The fields that make a config.json one of an LSG model, under the names of lsg-converter. */
export interface LsgFields {
  readonly adaptive: boolean;
  readonly base_model_prefix: "lsg";
  readonly block_size: number;
  readonly lsh_num_pre_rounds: number;
  /** Seed of the rotations of lsh; a field of ours, written where it is given. */
  readonly lsh_seed?: number;
  readonly mask_first_token: boolean;
  readonly num_global_tokens: number;
  /** Sequence-to-sequence models only. */
  readonly pass_global_tokens_to_decoder?: boolean;
  readonly pool_with_global: boolean;
  /** 0 turns the sparse keys off. */
  readonly sparse_block_size: number;
  /** 0 turns the sparse keys off, 1 takes every key. */
  readonly sparsity_factor: number;
  readonly sparsity_type: SparsityType;
}

const DEFAULTS: LsgFields = { ...LSG_CONFIG_DEFAULTS, lsh_seed: 0 };

/** Names that `lsgFields` reads. */
export const LSG_FIELD_NAMES: readonly string[] = Object.keys(DEFAULTS);

/**
 * Fields of the converted config.json, checked so that the model computes what its fields say.
 *
 * @param given Values to use instead of the defaults; other names are not looked at.
 * @param model Sizes that matter: heads, and whether there is a decoder with cross-attention.
 * @param note Takes what works but may surprise, a sentence each.
 * @throws {ConversionError} For a value of the wrong kind or a combination that attention cannot compute.
 */
export function lsgFields(
  given: Readonly<Record<string, unknown>>,
  model: { readonly heads: number; readonly encoderDecoder: boolean },
  note: (text: string) => void,
): LsgFields {
  const values = { ...DEFAULTS } as Record<string, unknown>;
  for (const name of LSG_FIELD_NAMES) {
    if (given[name] !== undefined) values[name] = given[name];
  }
  // The reference writes Python's None for it.
  values.sparsity_type ??= "none";
  for (const [name, value] of Object.entries(values)) requireKind(name, value);
  if (given.lsh_seed === undefined) delete values.lsh_seed;
  if (!model.encoderDecoder) delete values.pass_global_tokens_to_decoder;
  const fields = values as unknown as LsgFields;
  requireComputable(fields);
  if (fields.mask_first_token && !fields.pool_with_global) {
    note("pool_with_global was set to true: mask_first_token hides the first token's own output.");
    values.pool_with_global = true;
  }
  noteSurprises(fields, model.heads, note);
  return fields;
}

function requireKind(name: string, value: unknown): void {
  const fallback = DEFAULTS[name as keyof LsgFields];
  if (name === "sparsity_type") {
    if ((SPARSITY_TYPES as readonly unknown[]).includes(value)) return;
    throw new ConversionError(
      `Cannot convert: sparsity_type is ${JSON.stringify(value)}, expected a type of selection`,
      { given: String(value), known: SPARSITY_TYPES },
    );
  }
  const least = name === "block_size" || name === "num_global_tokens" ? 1 : 0;
  const most = name === "num_global_tokens"
    ? MAX_GLOBALS
    : name === "lsh_seed"
    ? 0xffffffff
    : 2 ** 20;
  const good = typeof fallback === "number"
    ? Number.isInteger(value) && (value as number) >= least && (value as number) <= most
    : typeof fallback === "boolean"
    ? typeof value === "boolean"
    : value === fallback;
  if (good) return;
  const expected = typeof fallback === "number"
    ? `an integer from ${least} to ${most}`
    : typeof fallback === "boolean"
    ? "true or false"
    : JSON.stringify(fallback);
  throw new ConversionError(
    `Cannot convert: ${name} is ${JSON.stringify(value)}, expected ${expected}; change it with ` +
      `--set ${name}=...`,
  );
}

function requireComputable(fields: LsgFields): void {
  const { block_size: B, sparsity_factor: f } = fields;
  // The reference's configuration asks for this even where nothing is sparse.
  if (f > 0 && B % f !== 0) {
    refuse("sparsity_factor", `${f}, expected a divisor of block_size ${B}`);
  }
  try {
    checkLsgPattern(patternOf(fields));
  } catch (error) {
    if (!(error instanceof LsgPatternError)) throw error;
    refuse(underConfigName(error.field), underConfigName(error.problem));
  }
}

/** sparseBlockSize to sparse_block_size, also inside a text. */
function underConfigName(text: string): string {
  return text.replaceAll(/[a-z](?=[A-Z])/g, "$&_").replaceAll(
    /_[A-Z]/g,
    (end) => end.toLowerCase(),
  );
}

function refuse(name: string, problem: string): never {
  throw new ConversionError(
    `Cannot convert: ${name} is ${problem}; change it with --set ${name}=...`,
  );
}

/** What the models here make of the fields. */
function patternOf(fields: LsgFields) {
  return lsgAttentionFromConfig(new PublishedConfig(fields));
}

function noteSurprises(fields: LsgFields, heads: number, note: (text: string) => void): void {
  if (selectionOf(patternOf(fields)) === "none") return;
  const { block_size: B, sparse_block_size: S, sparsity_factor: f, sparsity_type: type } = fields;
  if (type.endsWith("stride") && f > heads) {
    note(`With ${type} and ${heads} heads some of every ${f} tokens are seen by no head.`);
  }
  if ((B / f) % 2 === 1) {
    note(
      `block_size / sparsity_factor = ${B / f} is odd: lsg-converter's own classes ` +
        (B === f ? "count some neighbours twice." : "fail on inputs over two blocks."),
    );
  }
  if (4 * S <= 3 * B / f) {
    note(
      `sparse_block_size = ${S} is at most 3/4 of block_size / sparsity_factor = ${B / f}: ` +
        "lsg-converter's own classes lose sparse keys there.",
    );
  }
}
