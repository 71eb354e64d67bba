import {
  checkIndex,
  headerLength,
  INDEX_FILE,
  indexedFiles,
  LENGTH_BYTES,
  readLayout,
  type SafetensorsLayout,
  SINGLE_FILE,
} from "../../train/mod.ts";
import type { Host } from "../host.ts";
import { UserError } from "../user_error.ts";
import type { CheckpointFiles } from "./checkpoint_files.ts";

/** The weights of a checkpoint: headers read, tensors still on the disk. */
export interface CheckpointWeights {
  /** Headers by file name; the order is that of the index. */
  readonly layouts: ReadonlyMap<string, SafetensorsLayout>;
  /** Paths by file name. */
  readonly paths: ReadonlyMap<string, string>;
  /** Text of the index where the weights are split. */
  readonly index: string | undefined;
}

/** More files than any checkpoint is split into. */
const MAX_FILES = 1000;

/**
 * Reads the headers of a checkpoint's safetensors files.
 *
 * @throws {UserError} If there are none; files in Python's pickle format are never read.
 * @throws {SafetensorsError} If a file is damaged, or they do not fit their index.
 */
export async function openCheckpointWeights(
  host: Host,
  files: CheckpointFiles,
): Promise<CheckpointWeights> {
  const single = await files.path(SINGLE_FILE);
  const index = single === undefined ? await files.text(INDEX_FILE) : undefined;
  if (single === undefined && index === undefined) {
    throw new UserError(
      `Cannot convert ${files.label}: it has neither ${SINGLE_FILE} nor ${INDEX_FILE}; weights in ` +
        "pytorch_model.bin are not read, since a pickle can run any code: load them where you " +
        "trust them and store them with save_pretrained(folder, safe_serialization=True)",
    );
  }
  const names = index === undefined ? [SINGLE_FILE] : indexedFiles(index);
  if (names.length > MAX_FILES) {
    throw new UserError(
      `Cannot convert ${files.label}: its index names ${names.length} files, expected at most ` +
        `${MAX_FILES}; check the checkpoint`,
    );
  }
  const layouts = new Map<string, SafetensorsLayout>();
  const paths = new Map<string, string>();
  for (const name of names) {
    const path = await files.path(name);
    if (path === undefined) {
      throw new UserError(
        `Cannot convert ${files.label}: ${name} is missing, which its index names; fetch it`,
      );
    }
    paths.set(name, path);
    layouts.set(name, await readFileLayout(host, path));
  }
  if (index !== undefined) checkIndex(index, layouts);
  return { layouts, paths, index };
}

/** The header of one file. */
export async function readFileLayout(host: Host, path: string): Promise<SafetensorsLayout> {
  const size = await host.fileSize(path) ?? 0;
  const start = await host.readRange(path, 0, LENGTH_BYTES) ?? new Uint8Array();
  const length = headerLength(start, size, path);
  return readLayout(await readExactly(host, path, LENGTH_BYTES, LENGTH_BYTES + length), size, path);
}

/** Bytes of a file that was longer than `end` when its header was read. */
export async function readExactly(
  host: Host,
  path: string,
  begin: number,
  end: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await host.readRange(path, begin, end);
  if (bytes?.length === end - begin) return bytes;
  throw new UserError(
    `Cannot read ${path}: it ends before byte ${end}, and did not when it was opened; let no other ` +
      "program write to it",
    1,
  );
}

/** Types and shapes of all tensors, and where each lies. */
export function allTensors(weights: CheckpointWeights) {
  return new Map(
    [...weights.layouts].flatMap(([file, { tensors }]) =>
      [...tensors].map(([key, place]) =>
        [key, { ...place, path: weights.paths.get(file)! }] as const
      )
    ),
  );
}
