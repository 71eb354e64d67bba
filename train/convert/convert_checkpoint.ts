import { MAX_GLOBALS } from "../../attention/lsg/mod.ts";
import { type Architecture, architectureOfType, lsgClass } from "./architectures.ts";
import { ConversionError } from "./conversion_error.ts";
import {
  type ConversionOptions,
  type FullConversionOptions,
  withDefaults,
} from "./conversion_options.ts";
import { type ConversionSource, keyPrefix, readTable, readWords } from "./conversion_source.ts";
import { convertedConfig, sourceIdentity } from "./converted_config.ts";
import { encodeFloats, FloatTable, type StoredTable } from "./float_table.ts";
import { globalEmbeddings, randomGlobalEmbeddings } from "./global_embeddings.ts";
import { globalPositions } from "./global_positions.ts";
import { computedPositions, copyRows, tiledRows } from "./position_tables.ts";

/** What differs between the source and the converted checkpoint. */
export interface Conversion {
  readonly architecture: Architecture;
  readonly config: Record<string, unknown>;
  /** Tensors to write instead of those of the source, or beside them. */
  readonly replaced: ReadonlyMap<string, StoredTable>;
  /** Keys of the source to leave out. */
  readonly dropped: ReadonlySet<string>;
  /** What the person should know, a sentence each. */
  readonly notes: readonly string[];
}

/** One conversion in progress. */
interface Work {
  readonly source: ConversionSource;
  readonly architecture: Architecture;
  readonly options: FullConversionOptions;
  /** Prefix of the base model's keys. */
  readonly prefix: string;
}

/**
 * Converts a checkpoint to local-sparse-global attention: longer position tables and a table of global embeddings. Everything else
 * stays as it is.
 *
 * Source: `convert_checkpoint.py` of ccdv-ai/convert_checkpoint_to_lsg 0.1.9.
 *
 * @throws {ConversionError} If it is of no type that has such a form, or an option does not fit it.
 */
export async function convertCheckpoint(
  source: ConversionSource,
  options: ConversionOptions = {},
): Promise<Conversion> {
  const notes: string[] = [];
  const note = (text: string) => void notes.push(text);
  const { full, architecture, config, isLsg } = plannedConfig(source.config, options, note);
  const work = { source, architecture, options: full, prefix: keyPrefix(source, architecture) };
  const replaced = new Map<string, StoredTable>();
  // Globals first: they come from the old positions.
  const globals = work.prefix + architecture.globals;
  if (isLsg && full.resizeLsg) await readTable(source, globals);
  else replaced.set(globals, await convertedGlobals(work, globals, isLsg));
  noteLsg(isLsg, full, note);
  for (const name of architecture.positions) {
    const key = work.prefix + name;
    // Whoever loads a Pegasus without them computes them.
    if (architecture.sinusoidal && !source.tensors.has(key)) continue;
    replaced.set(key, await convertedPositions(work, key));
  }
  // Written by old versions of the library: of the old length, and made anew by whoever loads them.
  const dropped = [...source.tensors.keys()].filter((key) =>
    /(^|\.)embeddings\.(position|token_type)_ids$/.test(key)
  );
  for (const key of dropped) note(`Left out ${key}, a buffer of the old length.`);
  return { architecture, config, replaced, dropped: new Set(dropped), notes };
}

/**
 * What a conversion makes of config.json and options alone, without the weights.
 *
 * @param note Takes what may surprise, a sentence each.
 * @throws {ConversionError} For a type that has no such form, or an option that is not known or does not fit.
 */
export function plannedConfig(
  source: ConversionSource["config"],
  options: ConversionOptions,
  note: (text: string) => void = () => {},
) {
  const full = withDefaults(options);
  const architecture = findArchitecture(source.model_type, full.modelType);
  const { className, isLsg } = sourceIdentity(source);
  const config = convertedConfig(source, architecture, {
    className: lsgClass(architecture, [full.architecture, className]),
    maxLength: full.maxLength,
    set: full.set,
    isLsg,
  }, note);
  return { full, architecture, config, isLsg };
}

function findArchitecture(type: unknown, given: string | undefined): Architecture {
  const architecture = architectureOfType(given ?? type);
  // BARThez is an mBART by its configuration.
  const own = given === "barthez" ? ["barthez", "mbart"] : [architecture.type];
  if (typeof type === "string" && !own.includes(type)) {
    throw new ConversionError(
      `Cannot convert: --model-type is ${given} and model_type in config.json is ${type}, ` +
        "expected the same; leave the option out",
    );
  }
  return architecture;
}

async function convertedGlobals(work: Work, key: string, isLsg: boolean): Promise<StoredTable> {
  const { source, architecture, options, prefix } = work;
  const table = await oldPositions(work);
  const words = await readWords(source, architecture);
  if (words.width !== table.width) {
    throw new ConversionError(
      `Cannot convert: word embeddings have width ${words.width} and positions ${table.width}, ` +
        "expected the same; check that the checkpoint is whole",
    );
  }
  const { seed, randomGlobalInit: random } = options;
  const typeKey = options.useTokenIds && architecture.tokenTypes;
  const sources = {
    words,
    first: requireToken("bos or cls", "--bos-token-id", firstToken(source), words),
    mask: random ? undefined : requireToken("mask", "--mask-token-id", source.tokens.mask, words),
    positions: globalPositions(
      table,
      architecture.positionOffset,
      options.globalPositionalStride,
      seed,
    ),
    tokenType: typeKey ? (await readTable(source, prefix + typeKey)).row(0) : undefined,
  };
  const values = random
    ? randomGlobalEmbeddings(sources, seed, options.parity.doubleTypeEmbedding)
    : globalEmbeddings(sources);
  const data = encodeFloats(values, table.dtype);
  if (isLsg && options.keepFirstGlobalToken) {
    const old = await readTable(source, key);
    if (old.width !== table.width || old.dtype !== table.dtype) {
      throw new ConversionError(
        `Cannot convert: ${key} has width ${old.width} and type ${old.dtype}, expected those of ` +
          `the positions, ${table.width} and ${table.dtype}`,
      );
    }
    data.set(old.rowData(0));
  }
  return { dtype: table.dtype, shape: [MAX_GLOBALS, table.width], data };
}

/** The encoder's position table, computed where a Pegasus has none. */
async function oldPositions(work: Work): Promise<FloatTable> {
  const { source, architecture, prefix } = work;
  const key = prefix + architecture.positions[0];
  if (!architecture.sinusoidal || source.tensors.has(key)) return await readTable(source, key);
  const { max_position_embeddings: rows } = source.config;
  if (!Number.isInteger(rows) || (rows as number) < 1 || (rows as number) > 2 ** 20) {
    throw new ConversionError(
      `Cannot convert: max_position_embeddings is ${rows}, expected a positive integer`,
    );
  }
  const { width, dtype } = await readWords(source, architecture);
  const data = encodeFloats(computedPositions(rows as number, width), dtype);
  return new FloatTable({ dtype, shape: [rows as number, width], data }, key);
}

async function convertedPositions(work: Work, key: string): Promise<StoredTable> {
  const { maxLength, parity } = work.options;
  const table = await readTable(work.source, key);
  const { dtype, width } = table;
  if (work.architecture.sinusoidal) {
    const data = encodeFloats(computedPositions(maxLength, width), dtype);
    return { dtype, shape: [maxLength, width], data };
  }
  const rows = tiledRows(
    table.rows,
    work.architecture.positionOffset,
    maxLength,
    parity.positionTileShort,
  );
  return { dtype, shape: [rows.length, width], data: copyRows(table, rows) };
}

function firstToken(source: ConversionSource): unknown {
  return source.tokens.first ?? source.config.bos_token_id;
}

function requireToken(
  what: string,
  option: string,
  id: unknown,
  words: FloatTable,
): number {
  if (Number.isInteger(id) && (id as number) >= 0 && (id as number) < words.rows) {
    return id as number;
  }
  throw new ConversionError(
    `Cannot convert: the ${what} token is ${
      id ?? "not named by the tokenizer's files"
    }, expected ` +
      `an id below ${words.rows}; give it with ${option}`,
  );
}

function noteLsg(isLsg: boolean, options: FullConversionOptions, note: (text: string) => void) {
  const { resizeLsg, keepFirstGlobalToken } = options;
  if (isLsg && !resizeLsg) {
    note(
      "The source is an LSG model already and its globals are made anew; --resize-lsg keeps them" +
        (keepFirstGlobalToken ? "." : ", --keep-first-global-token the first one."),
    );
  }
  if (isLsg) return;
  if (resizeLsg) note("--resize-lsg has no effect: the source is no LSG model.");
  if (keepFirstGlobalToken) {
    note("--keep-first-global-token has no effect: the source is no LSG model.");
  }
}
