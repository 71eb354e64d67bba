import {
  type CorpusSplit,
  fetchHubFile,
  LanguageModellingData,
  openCorpus,
  openTokenizer,
  openTokenizerJson,
  originOf,
  SOURCES,
  T5_TOKENIZER,
  tokenizeCorpus,
  type Tokenizer,
} from "../../data/mod.ts";
import type { TaskContext } from "../../harness/contract.ts";
import type { LanguageDataConfig } from "./config.ts";

/** Splits of one corpus, opened when first asked for. */
export interface LanguageData {
  readonly tokenizer: Tokenizer;
  /**
   * Blocks of a split; "out_of_domain" belongs to the second corpus. Each call counts as one reading in the report.
   *
   * @param name Split.
   * @param horizon Distance of the target. @default {1}
   */
  split(
    name: "train" | "validation" | "test" | "out_of_domain",
    horizon?: number,
  ): Promise<LanguageModellingData>;
}

/** Opens the text and tokenizer of a configuration and records where they came from. */
export async function openLanguageData(
  context: TaskContext,
  config: LanguageDataConfig,
  blockLength: number,
): Promise<LanguageData> {
  const { host, signal } = context;
  const warn = (message: string) => context.log(message);
  const options = { store: host, paths: config.paths, warn, signal };
  const corpus = openCorpus(config.corpus, options);
  const train = await corpus.load("train");
  const tokenizer = await openConfiguredTokenizer(context, config, train);
  return {
    tokenizer,
    async split(name, horizon) {
      const split = name === "train"
        ? train
        : name === "out_of_domain"
        ? await openCorpus(config.outOfDomain!, options).load(name)
        : await corpus.load(name);
      const tokens = await tokenizeCorpus(split, tokenizer, { store: host, warn });
      recordSplit(context, config, split, tokens.ids.length);
      return new LanguageModellingData(tokens, {
        blockLength,
        targets: config.targets,
        horizon,
      });
    },
  };
}

async function openConfiguredTokenizer(
  context: TaskContext,
  config: LanguageDataConfig,
  train: CorpusSplit,
): Promise<Tokenizer> {
  const warn = (message: string) => context.log(message);
  if (config.tokenizer !== "t5") {
    return await openTokenizer(config.tokenizer, {
      train,
      vocabSize: config.vocabSize,
      store: context.host,
      warn,
    });
  }
  const { repo, revision, path } = T5_TOKENIZER;
  const { bytes, sha256, trust } = await fetchHubFile(T5_TOKENIZER, {
    store: context.host,
    signal: context.signal,
    warn,
  });
  context.data({
    id: `${repo}/${path}`,
    origin: repo,
    revision,
    licence: "Apache-2.0",
    sha256,
    bytes: bytes.length,
    note: trust === "pinned" ? "" : "unpinned: trusted on first use",
  });
  return openTokenizerJson(JSON.parse(new TextDecoder().decode(bytes)), { name: "t5" });
}

function recordSplit(
  context: TaskContext,
  config: LanguageDataConfig,
  split: CorpusSplit,
  tokens: number,
): void {
  const source = SOURCES.find((item) => item.id === split.corpus);
  const notes = {
    pinned: "",
    "first-use": "unpinned: trusted on first use",
    local: "the user's own file",
  };
  context.data({
    id: split.corpus,
    title: source?.title ?? split.corpus,
    ...(source ? originOf(source) : { origin: config.paths.join(", "), revision: null }),
    licence: source?.licence ?? "the user's own",
    sha256: split.sha256,
    split: split.split,
    records: split.documents.length,
    tokens,
    // The sources' own sets all come from the hub.
    standIn: source?.kind !== "hub",
    note: notes[split.trust],
  });
}
