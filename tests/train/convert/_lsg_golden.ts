/** Golden conversions: their source checkpoints, rebuilt from closed forms. */
import {
  ARCHITECTURE_TYPES,
  type Conversion,
  type ConversionOptions,
  type ConversionSource,
  type StoredTable,
} from "../../../train/convert/mod.ts";
import { sha256 } from "../../../data/sha256.ts";
import { closedForm, sinusoids } from "../../_helpers/closed_form.ts";
import { golden } from "../../_helpers/golden.ts";

/** A table that the reference wrote. */
export interface GoldenTable {
  readonly shape: number[];
  readonly sha256?: string;
  readonly rows: Record<string, number[]>;
}

/** What both kinds of golden files say about a conversion. */
export interface GoldenConversion {
  readonly architecture: string;
  readonly config: Record<string, unknown>;
  readonly tensors: Record<string, number[]>;
  readonly tables: Record<string, GoldenTable>;
}

/** A file of `tests/golden/lsg_<architecture>.json`. */
export interface GoldenArchitecture extends GoldenConversion {
  readonly tokenizer: Record<string, unknown>;
  readonly lsg: Record<string, unknown>;
  readonly converted_config: Record<string, unknown>;
  readonly dropped: string[];
  readonly converted_max_length: number;
}

/** A case of `tests/golden/lsg_convert_options.json`. */
export interface GoldenOptionCase extends GoldenConversion {
  readonly first: ReferenceOptions | null;
  readonly options: ReferenceOptions;
  readonly converted_config: Record<string, unknown>;
}

/** Options under the reference's names. */
export interface ReferenceOptions {
  readonly max_sequence_length?: number;
  readonly global_positional_stride?: number;
  readonly keep_first_global_token?: boolean;
  readonly resize_lsg?: boolean;
  readonly use_token_ids?: boolean;
  readonly random_global_init?: boolean;
}

/** Options of the golden conversions under our names. */
export function ourOptions(options: ReferenceOptions): ConversionOptions {
  const { set } = GOLDEN_OPTIONS;
  return {
    maxLength: options.max_sequence_length ?? 1024,
    globalPositionalStride: options.global_positional_stride,
    keepFirstGlobalToken: options.keep_first_global_token,
    resizeLsg: options.resize_lsg,
    useTokenIds: options.use_token_ids,
    randomGlobalInit: options.random_global_init,
    set,
  };
}

/** Options that every golden conversion was made with. */
export const GOLDEN_OPTIONS: ConversionOptions = {
  maxLength: 1024,
  set: {
    block_size: 4,
    sparse_block_size: 4,
    sparsity_factor: 2,
    sparsity_type: "norm",
    num_global_tokens: 2,
    pool_with_global: false,
  },
};

/** Every type that the reference converts. */
export function goldenArchitecture(type: string): GoldenArchitecture {
  if (!ARCHITECTURE_TYPES.includes(type)) throw new RangeError(`no golden file of ${type}`);
  return golden(`lsg_${type.replaceAll("-", "_")}`);
}

/** The float32 tensors of a golden source. */
export function goldenTensors(
  { config, tensors }: GoldenConversion,
): Map<string, { dtype: string; shape: number[]; data: Uint8Array<ArrayBuffer> }> {
  return new Map(
    Object.entries(tensors).map(([key, shape]) => {
      const computed = config.model_type === "pegasus" && key.includes("embed_positions");
      const values = computed ? sinusoids(shape[0], shape[1]) : closedForm(key, shape);
      return [key, { dtype: "F32", shape, data: new Uint8Array(values.buffer) }];
    }),
  );
}

/** A golden source; Pegasus takes its first token from its configuration. */
export function goldenSource(given: GoldenConversion): ConversionSource {
  return sourceOf(given.config, goldenTensors(given));
}

/** A source of given tensors, with token 0 first and token 4 for the mask. */
export function sourceOf(
  config: Readonly<Record<string, unknown>>,
  tensors: ReadonlyMap<string, StoredTable>,
): ConversionSource {
  return {
    config,
    tensors,
    read: (key) => Promise.resolve(tensors.get(key)!.data),
    tokens: { first: config.model_type === "pegasus" ? undefined : 0, mask: 4 },
  };
}

/** The converted checkpoint as a source of another conversion. */
export function convertedSource(source: ConversionSource, conversion: Conversion) {
  const keys = [...source.tensors.keys(), ...conversion.replaced.keys()];
  return {
    ...source,
    config: conversion.config,
    tensors: new Map(
      keys.map((key) => [key, conversion.replaced.get(key) ?? source.tensors.get(key)!]),
    ),
    read: (key: string) => {
      const replaced = conversion.replaced.get(key);
      return replaced ? Promise.resolve(replaced.data) : source.read(key);
    },
  };
}

/** A table in the form of a {@link GoldenTable}. */
export async function asGolden(table: StoredTable): Promise<GoldenTable> {
  const [count, width] = table.shape;
  const values = new Float32Array(table.data.slice().buffer);
  const rows = [0, 1, Math.min(9, count - 1), count - 1];
  return {
    shape: [...table.shape],
    sha256: await sha256(table.data.slice()),
    rows: Object.fromEntries(
      rows.map((r) => [r, [...values.subarray(r * width, (r + 1) * width)]]),
    ),
  };
}
