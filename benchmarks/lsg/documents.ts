import {
  ANSWER_POSITIONS,
  type AnswerPosition,
  openFactbookQuestions,
  openTask,
  pairDocuments,
  placeAnswer,
  type QuestionExample,
  questionFold,
  shuffledIndices,
  taskFold,
  windowDocuments,
  withoutNearDuplicates,
} from "../../data/mod.ts";
import type { DataInput, TaskContext } from "../../harness/contract.ts";
import type { QualityTask } from "./config.ts";

/** Parts the groups are dealt into; one is for testing. */
const FOLDS = 5;

/** A document as text; `encode_inputs.ts` makes ids of it. */
export type LongDocument =
  | { readonly id: string; readonly text: string; readonly label: number }
  | { readonly id: string; readonly first: string; readonly second: string; readonly label: number }
  | QuestionExample;

/** Training and test documents of a task. */
export interface LongDocuments {
  /** Classes; empty where the answer is a span. */
  readonly classes: readonly string[];
  /** Training documents of an epoch, always as many: pairs and places of answers are drawn anew for each. */
  readonly train: (epoch: number) => readonly LongDocument[];
  readonly test: readonly LongDocument[];
  /** Texts of the training side for tokenizer and pretraining. */
  readonly trainTexts: readonly string[];
  /** Test documents left out because training has their text, whole or for the most part. */
  readonly duplicates: number;
  readonly source: Omit<DataInput, "split" | "records">;
}

/** Opens and splits a task. The split depends on the task alone, so that seeds and variants are tested on the same documents. */
export async function openDocuments(
  context: TaskContext,
  task: QualityTask,
): Promise<LongDocuments> {
  const seed = context.seed(`split/${task.name}`);
  switch (task.name) {
    case "union-periods":
      return await unionPeriods(context, task, seed);
    case "licence-pairs":
      return await licencePairs(context, task, seed);
    case "factbook-questions":
      return await factbookQuestions(task, seed);
  }
}

async function unionPeriods(
  context: TaskContext,
  { length, trainLimit, testLimit }: QualityTask,
  seed: number,
): Promise<LongDocuments> {
  const opened = await openTask("union-periods", { store: context.host, signal: context.signal });
  const { train, test, duplicates } = taskFold(opened, { fold: 0, folds: FOLDS, seed });
  // A token is at most a word, so a window of that many words fills the length; messages are several windows long.
  const cut = (documents: typeof train) =>
    windowDocuments(documents, { words: length, perDocument: 12 });
  const training = sample(cut(train), trainLimit, seed);
  return {
    classes: opened.classes,
    train: () => training,
    test: sample(cut(test), testLimit, seed),
    trainTexts: train.map(({ text }) => text),
    duplicates,
    source: sourceOf(opened),
  };
}

async function licencePairs(
  context: TaskContext,
  { trainLimit, testLimit }: QualityTask,
  seed: number,
): Promise<LongDocuments> {
  const opened = await openTask("spdx-licences", { store: context.host, signal: context.signal });
  const { train, ...split } = taskFold(opened, { fold: 0, folds: FOLDS, seed });
  const test = withoutNearDuplicates(train, split.test);
  return {
    classes: ["different families", "same family"],
    train: (epoch) => pairDocuments(train, { count: trainLimit, seed: seed + 1 + epoch }),
    test: pairDocuments(test, { count: testLimit, seed }),
    trainTexts: train.map(({ text }) => text),
    duplicates: split.duplicates + split.test.length - test.length,
    source: sourceOf(opened),
  };
}

async function factbookQuestions(
  { length, fields, trainLimit, testLimit }: QualityTask,
  seed: number,
): Promise<LongDocuments> {
  const opened = await openFactbookQuestions();
  const questions = opened.questions.filter(({ field }) => field < fields);
  const { train, test } = questionFold(questions, { fold: 0, folds: FOLDS, seed });
  const words = Math.max(24, Math.round(WORDS_PER_TOKEN * length));
  const place = (question: typeof train[number], position: AnswerPosition, draw: number) =>
    placeAnswer(opened, question, { words, position, seed: seed + draw });
  const asked = sample(train, trainLimit, seed);
  const training = (epoch: number) =>
    asked.map((question, i) =>
      place(question, ANSWER_POSITIONS[(i + epoch) % ANSWER_POSITIONS.length], 7919 * epoch + i)
    );
  return {
    classes: [],
    train: training,
    // Every test question is asked at every position, so that positions differ in nothing else.
    test: sample(test, Math.ceil(testLimit / ANSWER_POSITIONS.length), seed)
      .flatMap((question, i) => ANSWER_POSITIONS.map((position) => place(question, position, i))),
    trainTexts: training(0).map(({ before, answer, after }) => before + answer + after),
    duplicates: 0,
    source: sourceOf(opened),
  };
}

/** Words of a profile that a small vocabulary spells with one token, about; longer contexts are cut at both ends. */
const WORDS_PER_TOKEN = 0.45;

function sample<T>(items: readonly T[], limit: number, seed: number): T[] {
  return Array.from(shuffledIndices(items.length, seed, 1).subarray(0, limit), (i) => items[i]);
}

function sourceOf(
  { id, title, origin, revision, licence, sha256 }: {
    readonly id: string;
    readonly title: string;
    readonly origin: string;
    readonly revision: string;
    readonly licence: string;
    readonly sha256: string;
  },
): LongDocuments["source"] {
  return { id, title, origin, revision, licence, sha256, standIn: true };
}
