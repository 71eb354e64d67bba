/**
 * 20 Newsgroups from the hub, with the publisher's split.
 * @module
 */

import { decodeUtf8 } from "../corpus.ts";
import type { NetworkStore, Warn } from "../data_store.ts";
import { fetchHubFile } from "../hub.ts";
import { TASK_SOURCES } from "./manifest.ts";
import { type LabelledDocument, taskSha256, type TextTask } from "./text_task.ts";

const FILES = { train: "train.jsonl", test: "test.jsonl" } as const;

/** Opens the task. Groups are the two splits; with several folds every document is a group of its own from fold 1 on. */
export async function openNewsgroups(
  options: { store: NetworkStore; warn?: Warn; signal?: AbortSignal },
): Promise<TextTask> {
  const { title, licence, origin, revision } = TASK_SOURCES["20-newsgroups"];
  const classes: string[] = [];
  const documents: LabelledDocument[] = [];
  for (const [split, path] of Object.entries(FILES)) {
    const file = { kind: "dataset", repo: origin, revision, path } as const;
    const { bytes } = await fetchHubFile(file, options);
    for (const [i, line] of decodeUtf8(bytes, path).split("\n").entries()) {
      if (line.trim() === "") continue;
      const record = JSON.parse(line) as { text: string; label: number; label_text: string };
      if (typeof record.text !== "string" || !Number.isInteger(record.label)) {
        throw new TypeError(`Cannot read ${origin}/${path}: line ${i + 1} has no text and label`);
      }
      classes[record.label] = record.label_text;
      if (record.text.trim() === "") continue;
      const group = split === "test" ? "test" : `train/${i}`;
      documents.push({ id: `${split}/${i}`, text: record.text, label: record.label, group });
    }
  }
  return {
    ...{ id: "20-newsgroups", title, licence, origin, revision, classes, documents },
    sha256: await taskSha256(documents),
    trust: "first-use",
    testGroups: new Set(["test"]),
  };
}
