/**
 * Corpora by name.
 * @module
 */

import type { Corpus } from "../corpus.ts";
import type { NetworkStore, Warn } from "../data_store.ts";
import { npmPackageFiles, type PackageFiles } from "../npm_sources.ts";
import { openMathsText } from "./maths_text.ts";
import { openMobyDick } from "./moby_dick.ts";
import { openReasoningText } from "./reasoning_text.ts";
import { openStateOfTheUnion } from "./state_of_the_union.ts";
import { openTextFiles } from "./text_file.ts";
import { openWikitext } from "./wikitext.ts";

/** Names that {@link openCorpus} knows. */
export const CORPUS_NAMES = [
  "state-of-the-union",
  "moby-dick",
  "reasoning-text",
  "wikitext-2",
  "maths-text",
  "text-file",
] as const;

/** One of {@link CORPUS_NAMES}. */
export type CorpusName = typeof CORPUS_NAMES[number];

/** Settings of {@link openCorpus}. */
export interface OpenCorpusOptions {
  /** Network and cache for sets from the hub, files for the user's own text. */
  readonly store: NetworkStore;
  /** Files for `text-file`. */
  readonly paths?: readonly string[];
  /** Where package files come from. @default the packages in deno.lock */
  readonly packageFiles?: PackageFiles;
  readonly warn?: Warn;
  readonly signal?: AbortSignal;
}

/** Opens a corpus by name. A set that cannot be had is an error when a split is loaded; no other set takes its place. */
export function openCorpus(name: CorpusName, options: OpenCorpusOptions): Corpus {
  const { store, paths = [], packageFiles = npmPackageFiles, warn, signal } = options;
  switch (name) {
    case "state-of-the-union":
      return openStateOfTheUnion(packageFiles);
    case "moby-dick":
      return openMobyDick(packageFiles);
    case "reasoning-text":
      return openReasoningText();
    case "maths-text":
      return openMathsText({ store, warn, signal });
    case "wikitext-2":
      return openWikitext({ store, warn, signal });
    case "text-file":
      return openTextFiles({ store, paths });
    default:
      throw new RangeError(
        `Cannot open corpus: name is "${name}", expected one of ${CORPUS_NAMES.join(", ")}`,
      );
  }
}
