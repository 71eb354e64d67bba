import assert from "node:assert/strict";
import {
  DataChecksumError,
  openLicences,
  openTask,
  type PackageFiles,
  pairDocuments,
  sharedRuns,
  TASK_SOURCES,
  taskFold,
  withoutNearDuplicates,
  wordRuns,
} from "../../../data/mod.ts";
import { licenceFamily } from "../../../data/tasks/licence_families.ts";
import { MemoryStore } from "../memory_store.ts";

const licences = await openLicences();
const fold = taskFold(licences, { fold: 0, folds: 5, seed: 1 });

Deno.test("openLicences() reads the pinned texts, each once", async () => {
  assert.equal(licences.documents.length, TASK_SOURCES["spdx-licences"].documents);
  assert.equal(new Set(licences.documents.map(({ text }) => text)).size, licences.documents.length);
  const mit = licences.documents.find(({ id }) => id === "MIT")!;
  assert.match(mit.text, /Permission is hereby granted, free of charge/);
  assert.equal(licences.classes[mit.label], mit.group);
  const again = await openTask("spdx-licences", { store: new MemoryStore() });
  assert.equal(again.sha256, licences.sha256);
});

Deno.test("openLicences() refuses other contents than those pinned", async () => {
  const files: PackageFiles = {
    json: () => Promise.resolve({ MIT: { licenseText: "word ".repeat(80) } }),
  };
  await assert.rejects(() => openLicences(files), DataChecksumError);
  const broken: PackageFiles = { json: () => Promise.resolve({ MIT: {} }) };
  await assert.rejects(() => openLicences(broken), /licence MIT/);
});

Deno.test("licenceFamily() joins versions, variants and licences made of one another", () => {
  const families = ["GPL-2.0+", "LGPL-2.1-only", "AGPL-3.0", "GFDL-1.3-or-later"].map(
    licenceFamily,
  );
  assert.deepEqual(new Set(families), new Set(["GNU"]));
  assert.deepEqual(["CC-BY-4.0", "CC0-1.0", "0BSD"].map(licenceFamily), ["CC", "CC0", "0BSD"]);
});

Deno.test("sharedRuns() is the share of the shorter text that the other contains", () => {
  const words = Array.from({ length: 40 }, (_, i) => `w${i}`);
  const whole = wordRuns(words.join(" "));
  assert.equal(sharedRuns(whole, wordRuns(words.slice(5, 25).join(", "))), 1);
  assert.equal(sharedRuns(whole, wordRuns(words.toReversed().join(" "))), 0);
});

Deno.test("pairDocuments() is balanced and labels pairs by family", () => {
  const pairs = pairDocuments(fold.test, { count: 120, seed: 4 });
  assert.deepEqual(pairs, pairDocuments(fold.test, { count: 120, seed: 4 }));
  assert.notDeepEqual(pairs, pairDocuments(fold.test, { count: 120, seed: 5 }));
  assert.equal(pairs.filter(({ label }) => label === 1).length, 60);
  for (const { label, groups, first, second } of pairs) {
    assert.equal(groups[0] === groups[1], label === 1);
    assert.notEqual(first, second);
  }
  assert.throws(() => pairDocuments(fold.test.slice(0, 1), { count: 1, seed: 1 }), RangeError);
  const same = ["a", "b", "c", "d"].map((id, i) => ({
    id,
    text: "x y",
    label: 0,
    group: `${i % 2}`,
  }));
  assert.throws(() => pairDocuments(same, { count: 2, seed: 1 }), /maxOverlap/);
});

Deno.test("pairDocuments() gives the label away neither by length nor by either text alone", () => {
  const pairs = pairDocuments(licences.documents, { count: 600, seed: 2 });
  const mean = (label: number) => {
    const own = pairs.filter((p) => p.label === label);
    return own.reduce(
      (sum, { first, second }) => sum + Math.abs(Math.log(first.length / second.length)),
      0,
    ) / own.length;
  };
  assert.ok(Math.abs(mean(0) - mean(1)) < 0.5, `${mean(0)} and ${mean(1)}`);
  const matched = new Set(pairs.filter((p) => p.label === 1).map((p) => p.second));
  const strangers = pairs.filter((p) => p.label === 0);
  const alsoMatched = strangers.filter((p) => matched.has(p.second)).length;
  assert.ok(alsoMatched > 0.6 * strangers.length, `${alsoMatched} of ${strangers.length}`);
});

Deno.test("withoutNearDuplicates() leaves no test text that training mostly contains", () => {
  const clean = withoutNearDuplicates(fold.train, fold.test);
  assert.ok(clean.length > 50 && clean.length < fold.test.length);
  const known = fold.train.map(({ text }) => wordRuns(text));
  for (const own of clean.map(({ text }) => wordRuns(text))) {
    assert.ok(known.every((runs) => sharedRuns(runs, own) <= 0.5));
  }
  const planted = { ...fold.train[0], id: "planted", text: `Preface. ${fold.train[0].text}` };
  assert.ok(!withoutNearDuplicates(fold.train, [planted]).length);
  const families = new Set(fold.train.map(({ group }) => group));
  for (const { groups } of pairDocuments(clean, { count: 40, seed: 1 })) {
    assert.ok(groups.every((group) => !families.has(group)));
  }
});
