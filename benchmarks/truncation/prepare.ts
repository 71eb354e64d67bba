import {
  fetchHubFile,
  type LabelledDocument,
  openCorpus,
  openTask,
  shuffledIndices,
  type TaskFold,
  taskFold,
  type TextTask,
  windowDocuments,
} from "../../data/mod.ts";
import type { TaskContext } from "../../harness/contract.ts";
import type { TruncationConfig, Unit } from "./config.ts";
import {
  encodeDocument,
  type EncoderTokenizer,
  openBertTokenizer,
  trainEncoderTokenizer,
} from "../encoder_training/encoder_tokenizer.ts";

/** A document as the models see it. */
export interface EncodedDocument {
  readonly id: string;
  /** [CLS] text [SEP]. */
  readonly ids: Int32Array;
  readonly label: number;
  /** Number among all documents of its split; the stream of random truncation. */
  readonly index: number;
}

/** Everything of a unit that comes before a model. */
export interface PreparedUnit {
  readonly tokenizer: EncoderTokenizer;
  readonly classes: readonly string[];
  readonly train: readonly EncodedDocument[];
  readonly test: readonly EncodedDocument[];
  /** Texts of the training documents, for pretraining and the generator. */
  readonly trainTexts: readonly string[];
  readonly testTexts: readonly string[];
  /** Documents left out: longer than allowed, or in both splits. */
  readonly tooLong: number;
  readonly duplicates: number;
}

/** Opened tasks: reading thousands of files once is enough. */
const openedTasks = new Map<string, TextTask>();
let latest: { key: string; unit: PreparedUnit } | undefined;

/** Opens, splits and encodes the documents of a unit. The latest one is kept, since most tasks follow on the same. */
export async function prepareUnit(
  context: TaskContext,
  config: TruncationConfig,
  { task, fold }: Unit,
): Promise<PreparedUnit> {
  const warn = (message: string) => context.log(message);
  const opened = openedTasks.get(task.name) ??
    await openTask(task.name, { store: context.host, warn, signal: context.signal });
  openedTasks.set(task.name, opened);
  const splitSeed = context.seed(`folds/${task.name}`);
  const split = taskFold(opened, { fold, folds: task.folds, seed: splitSeed });
  const key = JSON.stringify([task, fold, splitSeed, config.maxLength, config.encoder]);
  if (latest?.key !== key) {
    const trainDocuments = windowed(split.train, task.window);
    const tokenizer = await openEncoderTokenizer(context, config, trainDocuments);
    const train = encode(tokenizer, trainDocuments, config.maxLength);
    const allTest = encode(tokenizer, windowed(split.test, task.window), config.maxLength);
    const test = { ...allTest, items: unseenDocuments(allTest.items, train.items) };
    const keptTrain = sample(train, task.trainLimit, splitSeed);
    const keptTest = sample(test, task.testLimit, splitSeed);
    latest = {
      key,
      unit: {
        tokenizer,
        classes: opened.classes,
        train: keptTrain.map(({ encoded }, index) => ({ ...encoded, index })),
        test: keptTest.map(({ encoded }, index) => ({ ...encoded, index })),
        trainTexts: keptTrain.map(({ text }) => text),
        testTexts: keptTest.map(({ text }) => text),
        tooLong: train.dropped + test.dropped,
        duplicates: split.duplicates + allTest.items.length - test.items.length,
      },
    };
  }
  recordData(context, opened, split, latest.unit);
  return latest.unit;
}

/** Texts for masked-language modelling: the training documents and the open corpora, never a test document. */
export async function pretrainingTexts(
  context: TaskContext,
  config: TruncationConfig,
  unit: PreparedUnit,
): Promise<string[]> {
  const texts = [...unit.trainTexts];
  for (const name of config.pretraining?.corpora ?? []) {
    const corpus = openCorpus(name, { store: context.host, signal: context.signal });
    const split = await corpus.load(name === "moby-dick" ? "out_of_domain" : "train");
    context.data({
      id: corpus.id,
      title: corpus.title,
      origin: corpus.id,
      licence: corpus.licence,
      sha256: split.sha256,
      split: split.split,
      records: split.documents.length,
      note: "masked-language pretraining",
    });
    texts.push(...split.documents.map(({ text }) => text));
  }
  return texts;
}

function windowed(
  documents: readonly LabelledDocument[],
  window: Unit["task"]["window"],
): readonly LabelledDocument[] {
  return window ? windowDocuments(documents, window) : documents;
}

/**
 * Test documents that are not, token for token, training documents as well: whole texts were compared before, but windows of different
 * texts can be equal, and so can texts that the tokenizer reads alike.
 */
export function unseenDocuments(
  test: readonly EncodedText[],
  train: readonly EncodedText[],
): EncodedText[] {
  const known = new Set(train.map(({ encoded }) => encoded.ids.join()));
  return test.filter(({ encoded }) => !known.has(encoded.ids.join()));
}

/** A document with its text. */
export interface EncodedText {
  readonly encoded: Omit<EncodedDocument, "index">;
  readonly text: string;
}

function encode(
  tokenizer: EncoderTokenizer,
  documents: readonly LabelledDocument[],
  maxLength: number,
): { items: EncodedText[]; dropped: number } {
  const items = documents.map(({ id, text, label }) => ({
    encoded: { id, ids: encodeDocument(tokenizer, text), label },
    text,
  })).filter(({ encoded }) => encoded.ids.length <= maxLength);
  return { items, dropped: documents.length - items.length };
}

/** A seeded sample; a limit keeps the cost of a run known. */
function sample(
  { items }: { items: EncodedText[] },
  limit: number | null,
  seed: number,
): EncodedText[] {
  const order = shuffledIndices(items.length, seed, 1);
  return Array.from(order.subarray(0, limit ?? items.length)).map((i) => items[i]);
}

async function openEncoderTokenizer(
  context: TaskContext,
  { encoder }: TruncationConfig,
  train: readonly LabelledDocument[],
): Promise<EncoderTokenizer> {
  if (encoder.source === "own") {
    return trainEncoderTokenizer(train.map(({ text }) => text), encoder.vocabSize);
  }
  const { bytes } = await fetchHubFile({
    kind: "model",
    repo: encoder.repo,
    revision: encoder.revision,
    path: "tokenizer.json",
  }, { store: context.host, signal: context.signal, warn: (message) => context.log(message) });
  return openBertTokenizer(JSON.parse(new TextDecoder().decode(bytes)));
}

function recordData(
  context: TaskContext,
  task: TextTask,
  split: TaskFold,
  unit: PreparedUnit,
): void {
  for (const part of ["train", "test"] as const) {
    context.data({
      id: task.id,
      title: task.title,
      origin: task.origin,
      revision: task.revision,
      licence: task.licence,
      sha256: task.sha256,
      split: part,
      records: split[part].length,
      tokens: unit[part].reduce((sum, { ids }) => sum + ids.length, 0),
      standIn: task.id !== "20-newsgroups",
      note: task.trust === "pinned" ? "" : "unpinned: trusted on first use",
    });
  }
}
