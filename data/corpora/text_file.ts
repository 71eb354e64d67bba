/**
 * Text files of the user's own.
 * @module
 */

import {
  checkSplitName,
  type Corpus,
  type CorpusSplit,
  decodeUtf8,
  type Document,
  splitSha256,
} from "../corpus.ts";
import type { DataStore } from "../data_store.ts";

/** Settings of {@link openTextFiles}. */
export interface TextFileOptions {
  readonly store: Pick<DataStore, "readFile">;
  /** Files in UTF-8; each is one document of every split. */
  readonly paths: readonly string[];
  /** What the user says about it. @default {"not stated"} */
  readonly licence?: string;
  /** Largest sum of file sizes accepted. @default {268435456} */
  readonly maxBytes?: number;
}

/** Parts of each file: the first 80 % train, the next 10 % validate, the last 10 % test. */
const BOUNDS = { train: [0, 0.8], validation: [0.8, 0.9], test: [0.9, 1] } as const;
const SPLITS = Object.keys(BOUNDS) as (keyof typeof BOUNDS)[];

/**
 * Opens local files as a corpus. Each file is cut at the line ends nearest behind 80 % and 90 % of
 * it (at the exact place when it has no line ends), so the splits are disjoint and in order.
 */
export function openTextFiles(options: TextFileOptions): Corpus {
  if (options.paths.length === 0) {
    throw new RangeError("Cannot open text files: paths is empty, expected data.path=<file>");
  }
  return {
    id: "text-file",
    title: options.paths.join(", "),
    licence: options.licence ?? "not stated",
    splits: SPLITS,
    load: (split) => load(options, split),
  };
}

async function load(options: TextFileOptions, split: string): Promise<CorpusSplit> {
  checkSplitName("text-file", split, SPLITS);
  const { store, paths, maxBytes = 2 ** 28 } = options;
  const documents: Document[] = [];
  let total = 0;
  for (const path of paths) {
    const bytes = await store.readFile(path);
    if (bytes === undefined) {
      throw new TypeError(`Cannot read ${path}: it does not exist; check data.path`);
    }
    total += bytes.length;
    if (total > maxBytes) {
      throw new RangeError(
        `Cannot use ${path}: the files have ${total} bytes or more, expected at most ${maxBytes}; ` +
          "use a part of them or raise the limit",
      );
    }
    const [from, to] = BOUNDS[split as keyof typeof BOUNDS];
    const text = decodeUtf8(bytes, path);
    documents.push({ id: path, text: text.slice(cutAt(text, from), cutAt(text, to)) });
  }
  const filled = documents.filter(({ text }) => text !== "");
  return {
    corpus: "text-file",
    split,
    documents: filled,
    sha256: await splitSha256(filled),
    trust: "local",
  };
}

function cutAt(text: string, share: number): number {
  if (share === 0 || share === 1) return share * text.length;
  const target = Math.floor(share * text.length);
  const lineEnd = text.indexOf("\n", target);
  // A line end far away would empty the next split.
  if (lineEnd >= 0 && lineEnd - target < text.length / 20) return lineEnd + 1;
  const low = text.charCodeAt(target);
  // Never between the halves of a surrogate pair.
  return low >= 0xdc00 && low <= 0xdfff ? target + 1 : target;
}
