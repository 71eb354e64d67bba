import {
  budgetForShare,
  DocumentFrequencies,
  TokenScores,
  type TokenScoresJson,
  truncate,
} from "../../data/mod.ts";
import type { TaskContext } from "../../harness/contract.ts";
import { attentionScores, type Bert, type DocumentScoreOptions } from "../../models/mod.ts";
import type { Policy, TruncationConfig, Unit } from "./config.ts";
import { unitName } from "./config.ts";
import type { EncodedDocument, PreparedUnit } from "./prepare.ts";

/** What every policy needs of one unit: all of it made from training documents, but for the contextual scores of each input itself. */
export interface Scorer {
  readonly dictionary: TokenScores;
  readonly frequencies: DocumentFrequencies;
  /** Scores of each document's own positions, by split and index. */
  readonly contextual: { readonly train: Float32Array[]; readonly test: Float32Array[] };
  readonly seed: number;
}

interface ScorerJson {
  readonly dictionary: TokenScoresJson;
  readonly contextual: { train: number[][]; test: number[][] };
}

/** Mean attention score by token over documents. Takes ids alone: no label and no text can reach it. */
export async function buildDictionary(
  model: Bert,
  documents: readonly Int32Array[],
  options: DocumentScoreOptions,
): Promise<TokenScores> {
  const dictionary = new TokenScores();
  const scores = await attentionScores(model, documents, options);
  documents.forEach((ids, i) => dictionary.add(ids, scores[i]));
  return dictionary;
}

/** Builds and keeps the scorer of a unit from its fine-tuned control. */
export async function buildScorer(
  context: TaskContext,
  config: TruncationConfig,
  unit: Unit,
  prepared: PreparedUnit,
  model: Bert,
): Promise<Scorer> {
  const { signal } = context;
  const padId = prepared.tokenizer.pad;
  const ids = (split: "train" | "test") => prepared[split].map((document) => document.ids);
  const dictionary = await buildDictionary(model, ids("train"), { padId, signal });
  const layers = { first: Math.min(config.contextualLayers, model.blocks.length) };
  const contextual = (split: "train" | "test") =>
    attentionScores(model, ids(split), { padId, signal, layers, scoring: "received" });
  const scores = { train: await contextual("train"), test: await contextual("test") };
  const json: ScorerJson = {
    dictionary: dictionary.toJson(),
    contextual: {
      train: scores.train.map((row) => Array.from(row)),
      test: scores.test.map((row) => Array.from(row)),
    },
  };
  await context.artifacts.write(artifact(unit), new TextEncoder().encode(JSON.stringify(json)));
  return { dictionary, contextual: scores, ...parts(context, unit, prepared) };
}

/** Reads the scorer that the unit's prepare task kept. */
export async function loadScorer(
  context: TaskContext,
  unit: Unit,
  prepared: PreparedUnit,
): Promise<Scorer> {
  const bytes = await context.artifacts.read(artifact(unit));
  if (!bytes) {
    throw new TypeError(
      `Cannot truncate for ${
        unitName(unit)
      }: its scores are missing; run its prepare task in the same run`,
    );
  }
  const json = JSON.parse(new TextDecoder().decode(bytes)) as ScorerJson;
  const rows = (values: number[][]) => values.map((row) => Float32Array.from(row));
  return {
    dictionary: TokenScores.fromJson(json.dictionary),
    contextual: { train: rows(json.contextual.train), test: rows(json.contextual.test) },
    ...parts(context, unit, prepared),
  };
}

/** A document of a split, truncated to a share of its own length. */
export function truncateDocument(
  { dictionary, frequencies, contextual, seed }: Scorer,
  { ids, index }: EncodedDocument,
  split: "train" | "test",
  policy: Policy,
  share: number,
  specials: readonly number[],
  table: ReadonlyMap<number, number> = tableOf(dictionary),
): Int32Array {
  if (policy === "none") return ids;
  return truncate(ids, {
    policy,
    budget: budgetForShare(share, ids.length, specials.length),
    specials,
    scores: policy === "contextual" ? contextual[split][index] : table,
    frequencies,
    seed,
    stream: split === "train" ? index : 0x40000000 + index,
  });
}

const tables = new WeakMap<TokenScores, Map<number, number>>();

/** The table of a dictionary that no longer grows. */
export function tableOf(dictionary: TokenScores): Map<number, number> {
  let table = tables.get(dictionary);
  if (!table) tables.set(dictionary, table = dictionary.table());
  return table;
}

function parts(
  context: TaskContext,
  unit: Unit,
  prepared: PreparedUnit,
): Pick<Scorer, "frequencies" | "seed"> {
  const frequencies = new DocumentFrequencies();
  for (const { ids } of prepared.train) frequencies.add(ids);
  return { frequencies, seed: context.seed(`random truncation/${unitName(unit)}`) };
}

function artifact(unit: Unit): string {
  return `scorer-${unitName(unit).replaceAll("/", "-")}.json`;
}
