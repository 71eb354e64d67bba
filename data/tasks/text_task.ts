/**
 * Text classification: labelled documents in groups that a split must not tear apart.
 * @module
 */

import { random32 } from "../random.ts";
import { splitSha256, type Trust } from "../corpus.ts";
import { DataChecksumError } from "../errors.ts";

/** One document with its class. */
export interface LabelledDocument {
  /** Unique inside the task. */
  readonly id: string;
  readonly text: string;
  /** Index into the task's classes. */
  readonly label: number;
  /** Author, country or whatever else documents share that would give the answer away. */
  readonly group: string;
}

/** All documents of a task. */
export interface TextTask {
  readonly id: string;
  readonly title: string;
  readonly licence: string;
  /** Package or repository. */
  readonly origin: string;
  readonly revision: string;
  readonly classes: readonly string[];
  readonly documents: readonly LabelledDocument[];
  readonly sha256: string;
  readonly trust: Trust;
  /** The publisher's own test documents; undefined where the task is split by group. */
  readonly testGroups?: ReadonlySet<string>;
}

/** Training and test documents of one fold. */
export interface TaskFold {
  readonly train: readonly LabelledDocument[];
  readonly test: readonly LabelledDocument[];
  /** Test documents left out because their very text is among the training documents. */
  readonly duplicates: number;
}

/** SHA-256 over id, label, group and text of every document, in order. */
export function taskSha256(documents: readonly LabelledDocument[]): Promise<string> {
  return splitSha256(documents.map(({ id, label, group, text }) => ({
    id: JSON.stringify([id, label, group]),
    text,
  })));
}

/** Throws unless the documents are those that were pinned. */
export async function checkTask(
  id: string,
  documents: readonly LabelledDocument[],
  expected: string,
): Promise<string> {
  const sha256 = await taskSha256(documents);
  if (sha256 !== expected) {
    const hint = "clear Deno's npm cache and run `deno install` again";
    throw new DataChecksumError(id, sha256, expected, hint);
  }
  return sha256;
}

/**
 * Fold `fold` of `folds`: whole groups, dealt out in a shuffled order, are the test documents. A task with a split of its own has that
 * one fold only. Test documents whose text also occurs in training are left out.
 *
 * @throws {RangeError} If the fold does not exist or one side has no document.
 */
export function taskFold(
  task: TextTask,
  { fold, folds, seed }: { fold: number; folds: number; seed: number },
): TaskFold {
  const { documents, testGroups } = task;
  if (!(Number.isInteger(fold) && fold >= 0 && fold < folds && (folds >= 2 || testGroups))) {
    throw new RangeError(
      `Cannot split ${task.id}: fold is ${fold} of ${folds}, expected 2 folds or more`,
    );
  }
  const isTest = testGroups && fold === 0
    ? (d: LabelledDocument) => testGroups.has(d.group)
    : inFold(documents, fold, folds, seed);
  const train = documents.filter((d) => !isTest(d));
  const known = new Set(train.map(({ text }) => text));
  const candidates = documents.filter(isTest);
  const test = candidates.filter(({ text }) => !known.has(text));
  if (train.length === 0 || test.length === 0) {
    throw new RangeError(
      `Cannot split ${task.id}: fold ${fold} has ${train.length} training and ${test.length} test documents`,
    );
  }
  return { train, test, duplicates: candidates.length - test.length };
}

function inFold(
  documents: readonly LabelledDocument[],
  fold: number,
  folds: number,
  seed: number,
): (document: LabelledDocument) => boolean {
  const groups = [...new Set(documents.map(({ group }) => group))].sort();
  const order = groups.map((group, i) => ({ group, key: random32(seed, 0, i) }))
    .sort((a, b) => a.key - b.key);
  const chosen = new Set(order.filter((_, i) => i % folds === fold).map(({ group }) => group));
  return ({ group }) => chosen.has(group);
}

/** Settings of {@link windowDocuments}. */
export interface WindowOptions {
  /** Words of a window. */
  readonly words: number;
  /** Most windows of one document, spread evenly over it. */
  readonly perDocument: number;
}

/** Cuts documents into windows of whole words; a document shorter than a window stays as it is. */
export function windowDocuments(
  documents: readonly LabelledDocument[],
  { words, perDocument }: WindowOptions,
): LabelledDocument[] {
  return documents.flatMap((document) => {
    const all = document.text.match(/\S+/g) ?? [];
    const windows = Math.max(1, Math.floor(all.length / words));
    const count = Math.min(perDocument, windows);
    return Array.from({ length: count }, (_, i) => {
      const start = Math.floor(i * windows / count) * words;
      const text = all.slice(start, start + words).join(" ");
      return { ...document, id: `${document.id}#${start}`, text };
    });
  });
}
