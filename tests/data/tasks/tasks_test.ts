import assert from "node:assert/strict";
import {
  DataChecksumError,
  DataUnavailableError,
  FACTBOOK_SECTIONS,
  openFactbookSections,
  openTask,
  openUnionPeriods,
  type PackageFiles,
  TASK_SOURCES,
  taskFold,
  type TextTask,
  unionPeriod,
  windowDocuments,
} from "../../../data/mod.ts";
import { readBrownGenres, readSpamMails } from "../../../data/tasks/opt_in_tasks.ts";
import { MemoryStore } from "../memory_store.ts";

const factbook = await openFactbookSections();
const union = await openUnionPeriods();

Deno.test("openFactbookSections() reads the pinned documents of ten classes", () => {
  assert.equal(factbook.documents.length, TASK_SOURCES["factbook-sections"].documents);
  assert.deepEqual(new Set(factbook.documents.map((d) => d.label)).size, FACTBOOK_SECTIONS.length);
  assert.equal(factbook.trust, "pinned");
  const mali = factbook.documents.find((d) => d.id === "africa/ml/0")!;
  assert.match(mali.text, /Mali Federation/);
});

Deno.test("openUnionPeriods() holds no year that would give the period away", () => {
  assert.equal(union.documents.length, TASK_SOURCES["union-periods"].documents);
  for (const { id, text } of union.documents) assert.ok(!/\d/.test(text), id);
  assert.deepEqual([1790, 1861, 1901, 2021].map(unionPeriod), [0, 1, 2, 3]);
});

Deno.test("openFactbookSections() refuses other contents than those pinned", async () => {
  const files: PackageFiles = {
    json: () => Promise.resolve({ Geography: { text: "word ".repeat(30) } }),
  };
  await assert.rejects(() => openFactbookSections(files), DataChecksumError);
});

Deno.test("taskFold() keeps groups whole and every document in one test fold", () => {
  for (const task of [factbook, union]) {
    const seen = new Set<string>();
    let duplicates = 0;
    for (let fold = 0; fold < 5; fold++) {
      const split = taskFold(task, { fold, folds: 5, seed: 3 });
      const groups = new Set(split.train.map((d) => d.group));
      const texts = new Set(split.train.map((d) => d.text));
      for (const { id, group, text } of split.test) {
        assert.ok(!groups.has(group), `${group} is on both sides`);
        assert.ok(!texts.has(text), `the text of ${id} is on both sides`);
        assert.ok(!seen.has(id));
        seen.add(id);
      }
      duplicates += split.duplicates;
    }
    assert.equal(seen.size + duplicates, task.documents.length);
  }
});

Deno.test("taskFold() leaves a test document out whose text is in training", () => {
  const document = (id: string, text: string) => ({ id, text, label: 0, group: id });
  const task: TextTask = {
    ...union,
    documents: [document("a", "x"), document("b", "y"), document("c", "x"), document("test", "y")],
    testGroups: new Set(["c", "test"]),
  };
  assert.throws(() => taskFold(task, { fold: 0, folds: 1, seed: 0 }), /0 test documents/);
  const more = {
    ...task,
    documents: [...task.documents, { ...document("d", "z"), group: "test" }],
  };
  const fold = taskFold(more, { fold: 0, folds: 1, seed: 0 });
  assert.deepEqual([fold.test.map((d) => d.id), fold.duplicates], [["d"], 2]);
  assert.throws(() => taskFold(union, { fold: 0, folds: 1, seed: 0 }), RangeError);
});

Deno.test("windowDocuments() cuts whole words, spread over the document", () => {
  const document = { id: "a", text: "1 2 3 4 5 6 7 8 9", label: 1, group: "g" };
  const texts = (words: number, perDocument: number) =>
    windowDocuments([document], { words, perDocument }).map(({ text }) => text);
  assert.deepEqual(texts(2, 2), ["1 2", "5 6"]);
  assert.deepEqual(texts(4, 9), ["1 2 3 4", "5 6 7 8"]);
  assert.deepEqual(texts(20, 3), [document.text]);
});

Deno.test("windowDocuments() gives long windows of messages, shorter ones whole", () => {
  const windows = windowDocuments(union.documents, { words: 3000, perDocument: 2 });
  const words = windows.map(({ text }) => text.split(" ").length);
  assert.ok(words.filter((n) => n === 3000).length > 300);
  assert.equal(Math.max(...words), 3000);
});

Deno.test("openTask() reads 20 Newsgroups from a hub with its own split", async () => {
  const line = (text: string, label: number) =>
    JSON.stringify({ text, label, label_text: `class ${label}` });
  const store = new MemoryStore();
  const bodies: Record<string, string> = {
    "train.jsonl": `${line("one", 0)}\n${line("two", 1)}\n${line(" ", 1)}\n`,
    "test.jsonl": `${line("three", 1)}\n`,
  };
  store.fetch = (input) => {
    const name = String(input).split("/").at(-1)!;
    const bytes = new TextEncoder().encode(bodies[name]);
    return Promise.resolve(
      new Response(bytes, { headers: { "content-length": String(bytes.length) } }),
    );
  };
  const task = await openTask("20-newsgroups", { store, warn: () => {} });
  assert.deepEqual(task.classes, ["class 0", "class 1"]);
  assert.equal(task.trust, "first-use");
  const { train, test } = taskFold(task, { fold: 0, folds: 1, seed: 0 });
  assert.deepEqual([train.map((d) => d.text), test.map((d) => d.text)], [["one", "two"], [
    "three",
  ]]);
});

Deno.test("openTask() names the terms of a set that the user has not added", async () => {
  const missing: PackageFiles = {
    json: (name) => Promise.reject(new TypeError(`Cannot read ${name}`)),
    text: (name) => Promise.reject(new TypeError(`Cannot read ${name}`)),
  };
  const store = new MemoryStore();
  for (const name of ["spam-mails", "brown-genres"] as const) {
    const error = await openTask(name, { store, packageFiles: missing }).catch((e) => e);
    assert.ok(error instanceof DataUnavailableError);
    assert.ok(error.message.includes(TASK_SOURCES[name].licence));
    assert.match(error.message, /deno add npm:/);
  }
});

Deno.test("readBrownGenres() and readSpamMails() keep the text and drop what gives the class away", async () => {
  const files: PackageFiles = {
    text: (_, path) =>
      Promise.resolve(
        path === "cats.txt" ? "ca01 news\n" : "\n\tThe/at Grand/jj-tl Jury/nn said/vbd ./.\n",
      ),
    json: (_, path) =>
      Promise.resolve(
        path === "datapackage.json"
          ? {
            resources: [{ path: "./data/spam-1/00001.ab.json" }, { path: "./data/file_list.json" }],
          }
          : { group: "spam-1", text: "X-Spam: yes\nFrom: x\n\nBuy  now\n\nor later" },
      ),
  };
  const [brown] = await readBrownGenres(files);
  assert.deepEqual([brown.text, brown.id], ["The Grand Jury said.", "ca01"]);
  assert.deepEqual(await readSpamMails(files), [
    { id: "spam-1/00001.ab", text: "Buy now or later", label: 1, group: "spam-1/00001.ab" },
  ]);
});
