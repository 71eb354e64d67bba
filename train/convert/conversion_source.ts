import type { Architecture } from "./architectures.ts";
import { ConversionError } from "./conversion_error.ts";
import { FloatTable, type StoredTable } from "./float_table.ts";

/** A checkpoint to convert. */
export interface ConversionSource {
  /** Its config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Type and shape of its tensors by key. */
  readonly tensors: ReadonlyMap<string, Pick<StoredTable, "dtype" | "shape">>;
  /** Bytes of one of them. */
  read(key: string): Promise<Uint8Array>;
  /** Ids of the first (bos or cls) and the mask token, where the tokenizer has them. */
  readonly tokens: { readonly first?: number; readonly mask?: number };
}

/** The named matrix of a checkpoint. */
export async function readTable(source: ConversionSource, key: string): Promise<FloatTable> {
  const stored = source.tensors.get(key);
  if (!stored) {
    throw new ConversionError(
      `Cannot convert: the checkpoint has no ${key}; check that config.json belongs to the weights`,
    );
  }
  return new FloatTable({ ...stored, data: await source.read(key) }, key);
}

/** The word embeddings, under whichever of their names the checkpoint has. */
export async function readWords(
  source: ConversionSource,
  architecture: Architecture,
): Promise<FloatTable> {
  const key = architecture.words.find((name) => source.tensors.has(name));
  return await readTable(source, key ?? architecture.words[0]);
}

/**
 * Prefix of the base model's keys: that of the type in a checkpoint with a head, none in one of the bare model.
 *
 * @throws {ConversionError} If there is no encoder under either.
 */
export function keyPrefix(source: ConversionSource, architecture: Architecture): string {
  const { prefix, positions: [position], encoderDecoder } = architecture;
  // Pegasus may leave its computed positions out.
  const signs = encoderDecoder ? [position, "encoder.layers.0.fc1.weight"] : [position];
  for (const candidate of [prefix, ""]) {
    if (signs.some((name) => source.tensors.has(candidate + name))) return candidate;
  }
  throw new ConversionError(
    `Cannot convert: the checkpoint has no ${prefix}${position}` +
      (encoderDecoder && [...source.tensors.keys()].some((key) => /(^|\.)decoder\./.test(key))
        ? "; it is a decoder alone, and only encoders have a local-sparse-global form"
        : `; check that it is a model of type ${architecture.type}`),
  );
}
