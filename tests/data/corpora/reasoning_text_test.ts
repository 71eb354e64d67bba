import assert from "node:assert/strict";
import { parquetWriteBuffer } from "hyparquet-writer";
import { countSplit } from "../../../data/corpus.ts";
import { openMathsText } from "../../../data/corpora/maths_text.ts";
import { drawProblem } from "../../../data/corpora/reasoning_problems.ts";
import { openReasoningText, reasoningSplit } from "../../../data/corpora/reasoning_text.ts";
import { MATHS_TEXT_SETS, REASONING_TEXT } from "../../../data/manifest.ts";
import { random32 } from "../../../data/random.ts";
import { MemoryStore } from "../memory_store.ts";

Deno.test("openReasoningText() makes the splits of the manifest, which share no problem", async () => {
  const corpus = openReasoningText();
  const lines: Set<string>[] = [];
  for (const split of corpus.splits) {
    const { documents, trust } = await corpus.load(split);
    const { sha256: _, ...counts } = REASONING_TEXT.splits[split];
    assert.deepEqual(countSplit(documents), counts);
    assert.equal(trust, "pinned");
    lines.push(new Set(documents.flatMap(({ text }) => text.trimEnd().split("\n"))));
  }
  const [train, validation, test] = lines;
  assert.ok(train.size > 5000);
  assert.ok(train.isDisjointFrom(validation) && train.isDisjointFrom(test));
  assert.ok(validation.isDisjointFrom(test));
  await assert.rejects(corpus.load("dev"), RangeError);
});

Deno.test("drawProblem() works every sum out correctly", () => {
  let counter = 0;
  const draw = (below: number) => Math.floor(random32(7, 0, counter++) / 2 ** 32 * below);
  let checked = 0;
  for (let i = 0; i < 3000; i++) {
    const { text } = drawProblem(draw);
    for (const [, left, operator, right, result] of text.matchAll(/(\d+) ([-+*]) (\d+) = (\d+)/g)) {
      // "10 * a + b = c" is matched from its last operator on; those lines are checked whole below.
      const before = text.slice(0, text.indexOf(`${left} ${operator} ${right} = ${result}`));
      if (/\* $/.test(before) || /[a-z]$/.test(before)) continue;
      const [a, b] = [Number(left), Number(right)];
      const value = operator === "+" ? a + b : operator === "-" ? a - b : a * b;
      assert.equal(value, Number(result), text);
      checked++;
    }
    for (const [, a, b, c, result] of text.matchAll(/(\d+) \* (\d+) \+ (\d+) = (\d+)/g)) {
      assert.equal(Number(a) * Number(b) + Number(c), Number(result), text);
      checked++;
    }
  }
  assert.ok(checked > 4000, `${checked}`);
});

Deno.test("reasoningSplit() deals problems out 8 : 1 : 1 by their key", () => {
  const counts = { train: 0, validation: 0, test: 0 };
  for (let i = 0; i < 10_000; i++) counts[reasoningSplit(`addition ${i} ${3 * i}`)]++;
  assert.ok(Math.abs(counts.train - 8000) < 250, JSON.stringify(counts));
  assert.ok(Math.abs(counts.test - 1000) < 150, JSON.stringify(counts));
});

Deno.test("openMathsText() joins both sets and splits them 8 : 1 : 1", async () => {
  const rows = Array.from({ length: 20 }, (_, i) => `${i}`);
  const files = MATHS_TEXT_SETS.map(({ columns }) =>
    parquetWriteBuffer({
      columnData: columns.map((name) => ({ name, data: rows.map((row) => `${name} ${row}`) })),
    })
  );
  const asked: string[] = [];
  const store = new MemoryStore();
  store.fetch = (input) => {
    asked.push(String(input));
    const file = files[MATHS_TEXT_SETS.findIndex(({ repo }) => String(input).includes(repo))];
    return Promise.resolve(new Response(file));
  };
  const corpus = openMathsText({ store, warn: () => {} });
  const splits = [];
  for (const split of corpus.splits) splits.push(await corpus.load(split));
  assert.deepEqual(splits.map(({ documents }) => documents.length), [32, 4, 4]);
  assert.equal(splits[2].documents[0].text, "instruction 9\noutput 9");
  assert.equal(splits[2].documents[3].text, "text 19");
  assert.equal(splits[0].trust, "first-use");
  assert.match(asked[0], /refs%2Fconvert%2Fparquet\/default\/train\/0000\.parquet$/);
});
