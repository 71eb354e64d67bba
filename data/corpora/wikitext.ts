/**
 * WikiText-2, raw, from the hub.
 * @module
 */

import { checkSplitName, type Corpus, type CorpusSplit, splitSha256 } from "../corpus.ts";
import { fetchHubFile, type HubOptions } from "../hub.ts";
import { type HubSource, WIKITEXT_2 } from "../manifest.ts";
import { readParquetText } from "../parquet_text.ts";

/** Opens WikiText-2; nothing is downloaded before a split is loaded. */
export function openWikitext(options: HubOptions, source: HubSource = WIKITEXT_2): Corpus {
  const { id, title, licence, splits } = source;
  const names = Object.keys(splits);
  return { id, title, licence, splits: names, load: (split) => load(options, source, split) };
}

async function load(options: HubOptions, source: HubSource, split: string): Promise<CorpusSplit> {
  checkSplitName(source.id, split, Object.keys(source.splits));
  const { path, sha256, rows } = source.splits[split];
  const { repo, revision } = source;
  const file = { kind: "dataset", repo, revision, path, sha256 } as const;
  const { bytes, trust } = await fetchHubFile(file, options);
  const lines = await readParquetText(bytes, "text");
  if (rows !== undefined && lines.length !== rows) {
    throw new RangeError(
      `Cannot use ${source.id}/${split}: it has ${lines.length} rows, expected ${rows}; ` +
        "the file is not the published one",
    );
  }
  const documents = [{ id: split, text: joinWikitextLines(lines) }];
  return {
    corpus: source.id,
    split,
    documents,
    sha256: await splitSha256(documents),
    trust,
  };
}

/**
 * The running text of the set. Each row is a line with its line end; a blank line of the original
 * files (one space and a line end) is stored as an empty row and is put back here, so that byte
 * counts are those of the original.
 */
export function joinWikitextLines(lines: readonly string[]): string {
  return lines.map((line) => line === "" ? " \n" : line).join("");
}
