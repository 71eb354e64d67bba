import assert from "node:assert/strict";
import {
  ANSWER_POSITIONS,
  DataChecksumError,
  openFactbookQuestions,
  type PackageFiles,
  placeAnswer,
  QUESTION_FIELDS,
  questionFold,
} from "../../../data/mod.ts";
import { factbookFields } from "../../../data/tasks/factbook_profiles.ts";
import { QUESTION_SOURCES } from "../../../data/tasks/manifest.ts";

const task = await openFactbookQuestions();

Deno.test("openFactbookQuestions() reads the pinned questions", () => {
  assert.equal(task.questions.length, QUESTION_SOURCES["factbook-questions"].documents);
  const fields = new Set(task.questions.map(({ field }) => field));
  assert.equal(fields.size, QUESTION_FIELDS.length);
  const bamako = task.questions.find(({ id }) => id === "africa/ml/0")!;
  assert.deepEqual([bamako.question, bamako.answer], ["Capital name", "Bamako"]);
});

Deno.test("openFactbookQuestions() refuses other contents than those pinned", async () => {
  const files: PackageFiles = {
    json: () => Promise.resolve({ Government: { Capital: { name: { text: "Nowhere" } } } }),
  };
  await assert.rejects(() => openFactbookQuestions(files), DataChecksumError);
});

Deno.test("factbookFields() keeps names and order and splits the package's joined values", () => {
  const profile = { Economy: { Budget: { revenues: { text: "$1 ++  $2" }, note: { text: " " } } } };
  assert.deepEqual(factbookFields(profile), [
    { names: ["Economy", "Budget", "revenues"], text: "$1; $2" },
  ]);
});

Deno.test("no answer is known from another country", () => {
  const holders = new Map<string, string>();
  for (const { answer, group } of task.questions) {
    assert.ok((holders.get(answer) ?? group) === group, answer);
    holders.set(answer, group);
  }
});

Deno.test("placeAnswer() puts the only occurrence of the answer into the wanted third", () => {
  for (let n = 0; n < task.questions.length; n += 37) {
    for (const [third, position] of ANSWER_POSITIONS.entries()) {
      const options = { words: 300, position, seed: n };
      const { before, answer, after } = placeAnswer(task, task.questions[n], options);
      const text = before + answer + after;
      assert.equal(text.split(answer).length, 2, `${answer} is not unique`);
      const total = text.split(" ").length;
      assert.ok(total <= 301, `${total} words`);
      if (total < 290) continue; // a short profile has few places
      const share = before.split(" ").length / total;
      assert.ok(share > third / 3 - 0.3 && share < (third + 1) / 3 + 0.3, `${position}: ${share}`);
    }
  }
});

Deno.test("placeAnswer() meets the positions on average and repeats itself by seed", () => {
  const share = (position: typeof ANSWER_POSITIONS[number]) => {
    const values = task.questions.filter((_, n) => n % 11 === 0).map((question, seed) => {
      const { before, answer, after } = placeAnswer(task, question, { words: 400, position, seed });
      return before.length / (before + answer + after).length;
    });
    return values.reduce((a, b) => a + b) / values.length;
  };
  const [early, middle, late] = ANSWER_POSITIONS.map(share);
  assert.ok(
    early < 0.27 && Math.abs(middle - 0.5) < 0.1 && late > 0.73,
    `${[early, middle, late]}`,
  );
  const options = { words: 50, position: "late", seed: 9 } as const;
  const [question] = task.questions;
  assert.deepEqual(placeAnswer(task, question, options), placeAnswer(task, question, options));
});

Deno.test("questionFold() holds out whole countries and tests every question once", () => {
  const seen = new Set<string>();
  for (let fold = 0; fold < 4; fold++) {
    const { train, test } = questionFold(task.questions, { fold, folds: 4, seed: 2 });
    const countries = new Set(train.map(({ group }) => group));
    assert.ok(test.every(({ group }) => !countries.has(group)));
    for (const { id } of test) assert.ok(!seen.has(id) && seen.add(id));
  }
  assert.equal(seen.size, task.questions.length);
  const wrong = () => questionFold(task.questions, { fold: 0, folds: 1, seed: 0 });
  assert.throws(wrong, RangeError);
});
