import { SafetensorsError } from "../safetensors_error.ts";
import { encodeHeader, type SafetensorsLayout, tensorBytes } from "../safetensors_layout.ts";
import type { Conversion } from "./convert_checkpoint.ts";

/** File of the weights of a checkpoint that is not split. */
export const SINGLE_FILE = "model.safetensors";
/** Tells which file holds which tensor of a split checkpoint. */
export const INDEX_FILE = "model.safetensors.index.json";

/** Some bytes of a file to write: given, or copied from a file of the source. */
export type Piece =
  | { readonly data: Uint8Array }
  | { readonly file: string; readonly begin: number; readonly end: number };

/** A file to write, piece by piece. */
export interface PlannedFile {
  readonly name: string;
  readonly pieces: readonly Piece[];
}

/**
 * Names of the files that an index lists, each once.
 *
 * @throws {SafetensorsError} If it is no index, or a name leaves the folder.
 */
export function indexedFiles(text: string, name = INDEX_FILE): string[] {
  const weightMap = readIndex(text, name).weight_map;
  const files = [...new Set(Object.values(weightMap))];
  const bad = files.find((file) =>
    typeof file !== "string" || !/^[\w-][\w.-]*\.safetensors$/.test(file)
  );
  if (bad !== undefined || files.length === 0) {
    throw new SafetensorsError(
      `Cannot read ${name}: it names the file ${JSON.stringify(bad)}, expected a .safetensors ` +
        "file of the same folder; fetch it again",
    );
  }
  return files as string[];
}

/**
 * Checks that an index and its files agree.
 *
 * @throws {SafetensorsError} If a tensor is not where the index says, or in two files.
 */
export function checkIndex(
  text: string,
  layouts: ReadonlyMap<string, SafetensorsLayout>,
  name = INDEX_FILE,
): void {
  const refuse = (detail: string) => {
    throw new SafetensorsError(`Cannot read ${name}: ${detail}; fetch the checkpoint again`);
  };
  for (const [key, file] of Object.entries(readIndex(text, name).weight_map)) {
    if (!layouts.get(file as string)?.tensors.has(key)) refuse(`${file} has no tensor ${key}`);
  }
  const seen = new Map<string, string>();
  for (const [file, { tensors }] of layouts) {
    for (const key of tensors.keys()) {
      if (seen.has(key)) refuse(`tensor ${key} is in ${seen.get(key)} and in ${file}`);
      seen.set(key, file);
    }
  }
}

/**
 * Plans the weight files of the converted checkpoint: the split of the source, untouched tensors copied byte for byte, changed ones in
 * their place, the added one beside the first changed one.
 *
 * @param layouts Headers of the source's files by name.
 */
export function planWeightFiles(
  layouts: ReadonlyMap<string, SafetensorsLayout>,
  conversion: Pick<Conversion, "replaced" | "dropped">,
): PlannedFile[] {
  const { replaced, dropped } = conversion;
  const home = fileOfAdded(layouts, conversion);
  return [...layouts].map(([name, { tensors, metadata }]) => {
    const places = [...tensors].filter(([key]) => !dropped.has(key));
    const added = name === home ? [...replaced].filter(([key]) => !isStored(layouts, key)) : [];
    const entries = [
      ...places.map(([key, place]) => [key, replaced.get(key) ?? place] as const),
      ...added,
    ];
    // What Python's loader asks for.
    const header = encodeHeader(entries, { format: "pt", ...metadata });
    const pieces = entries.map(([, entry]): Piece =>
      "data" in entry ? { data: entry.data } : { file: name, begin: entry.begin, end: entry.end }
    );
    return { name, pieces: [{ data: header }, ...pieces] };
  });
}

/** The index of the converted checkpoint, in the layout of the source's. */
export function convertedIndex(
  text: string,
  layouts: ReadonlyMap<string, SafetensorsLayout>,
  conversion: Pick<Conversion, "replaced" | "dropped">,
): Record<string, unknown> {
  const { replaced, dropped } = conversion;
  const { metadata, ...rest } = readIndex(text, INDEX_FILE);
  const weightMap: Record<string, string> = {};
  let total = 0;
  const add = (key: string, file: string, entry: { dtype: string; shape: readonly number[] }) => {
    weightMap[key] = file;
    total += tensorBytes(entry.dtype, entry.shape);
  };
  for (const [file, { tensors }] of layouts) {
    for (const [key, place] of tensors) {
      if (!dropped.has(key)) add(key, file, replaced.get(key) ?? place);
    }
  }
  const home = fileOfAdded(layouts, conversion);
  for (const [key, table] of replaced) if (!(key in weightMap)) add(key, home, table);
  const sorted = Object.entries(weightMap).sort(([a], [b]) => a < b ? -1 : 1);
  return {
    ...rest,
    metadata: { ...(metadata as object | undefined), total_size: total },
    weight_map: Object.fromEntries(sorted),
  };
}

function fileOfAdded(
  layouts: ReadonlyMap<string, SafetensorsLayout>,
  { replaced }: Pick<Conversion, "replaced">,
): string {
  for (const key of replaced.keys()) {
    for (const [file, { tensors }] of layouts) if (tensors.has(key)) return file;
  }
  return [...layouts.keys()][0];
}

function isStored(layouts: ReadonlyMap<string, SafetensorsLayout>, key: string): boolean {
  return [...layouts.values()].some(({ tensors }) => tensors.has(key));
}

function readIndex(
  text: string,
  name: string,
): { weight_map: Record<string, unknown>; metadata?: unknown } {
  let index: { weight_map?: unknown } | undefined;
  try {
    index = JSON.parse(text);
  } catch {
    // Said below.
  }
  const map = index?.weight_map;
  if (typeof map === "object" && map !== null && !Array.isArray(map)) {
    return index as { weight_map: Record<string, unknown> };
  }
  throw new SafetensorsError(`Cannot read ${name}: it has no weight_map; fetch it again`);
}
