/**
 * Two sets of mathematical text from the hub as one corpus.
 * @module
 */

import {
  checkSplitName,
  type Corpus,
  type CorpusSplit,
  type Document,
  splitSha256,
  type Trust,
} from "../corpus.ts";
import { fetchHubFile, type HubOptions } from "../hub.ts";
import { MATHS_TEXT, MATHS_TEXT_SETS } from "../manifest.ts";
import { readParquetText } from "../parquet_text.ts";

/** Place of a document (its number modulo 10) to split: 8 : 1 : 1. */
const PLACES: Readonly<Record<string, (place: number) => boolean>> = {
  train: (place) => place < 8,
  validation: (place) => place === 8,
  test: (place) => place === 9,
};

/** Opens the corpus; nothing is downloaded before a split is loaded. */
export function openMathsText(options: HubOptions): Corpus {
  const { id, title, licence, splits } = MATHS_TEXT;
  const names = Object.keys(splits);
  return { id, title, licence, splits: names, load: (split) => load(options, split) };
}

async function load(options: HubOptions, split: string): Promise<CorpusSplit> {
  checkSplitName(MATHS_TEXT.id, split, Object.keys(MATHS_TEXT.splits));
  const { path, sha256: expected } = MATHS_TEXT.splits[split];
  const documents: Document[] = [];
  const trusts: Trust[] = [];
  for (const { repo, columns } of MATHS_TEXT_SETS) {
    const file = { kind: "dataset", repo, revision: MATHS_TEXT.revision, path } as const;
    const { bytes, trust } = await fetchHubFile({ ...file, sha256: expected }, options);
    trusts.push(trust);
    const parts = await Promise.all(columns.map((column) => readParquetText(bytes, column)));
    parts[0].forEach((_, row) => {
      if (!PLACES[split](row % 10)) return;
      documents.push({ id: `${repo}/${row}`, text: parts.map((part) => part[row]).join("\n") });
    });
  }
  return {
    corpus: MATHS_TEXT.id,
    split,
    documents,
    sha256: await splitSha256(documents),
    trust: trusts.every((trust) => trust === "pinned") ? "pinned" : "first-use",
  };
}
