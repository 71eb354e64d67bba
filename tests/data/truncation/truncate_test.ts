import assert from "node:assert/strict";
import {
  budgetForShare,
  DocumentFrequencies,
  keptPositions,
  padRows,
  TokenScores,
  truncate,
  truncateBatch,
  type TruncateOptions,
  TRUNCATION_POLICIES,
} from "../../../data/truncation/mod.ts";

const CLS = 1;
const SEP = 2;
/** [CLS] a b a c d b [SEP] */
const IDS = [CLS, 10, 11, 10, 12, 13, 11, SEP];
const TABLE = new Map([[10, 0.1], [11, 0.2], [12, 0.3], [13, 0.4]]);
const specials = [CLS, SEP];

/** What each policy needs for IDS. */
function inputs(policy: TruncateOptions["policy"]): Omit<TruncateOptions, "budget"> {
  const frequencies = new DocumentFrequencies();
  frequencies.add([10, 11]);
  frequencies.add([10, 12, 13]);
  const scores = policy === "contextual" ? IDS.map((_, i) => i / 10) : TABLE;
  return { policy, scores, frequencies, specials, seed: 3 };
}

const cut = (
  policy: TruncateOptions["policy"],
  budget: number,
  more: Partial<TruncateOptions> = {},
) => truncate(IDS, { ...inputs(policy), budget, ...more });

Deno.test("truncate() keeps what each policy says", () => {
  assert.deepEqual(cut("right", 5), [CLS, 10, 11, 10, SEP]);
  assert.deepEqual(cut("left", 5), [CLS, 12, 13, 11, SEP]);
  assert.deepEqual(cut("middle", 5), [CLS, 10, 11, 11, SEP]);
  assert.deepEqual(cut("none", 5), IDS);
  // 10 goes with both occurrences, then the right one of 11.
  assert.deepEqual(cut("type", 5), [CLS, 11, 12, 13, SEP]);
  // 11 goes as a whole: one token fewer than the budget.
  assert.deepEqual(cut("type-whole", 5), [CLS, 12, 13, SEP]);
  assert.deepEqual(cut("occurrence", 7), [CLS, 10, 11, 12, 13, 11, SEP]);
  assert.deepEqual(cut("contextual", 4), [CLS, 13, 11, SEP]);
});

Deno.test("truncate() by tf-idf drops what every document has", () => {
  // idf of 10 is lowest, but it occurs twice here: 2 * (ln(3/3) + 1) = 2; 12: ln(3/2) + 1 = 1.41.
  assert.deepEqual(cut("tf-idf", 6), [CLS, 10, 11, 10, 11, SEP]);
});

Deno.test("truncate() at random depends on seed and stream alone", () => {
  assert.deepEqual(cut("random", 5), cut("random", 5));
  const draws = new Set(
    Array.from({ length: 12 }, (_, stream) => cut("random", 5, { stream }).join()),
  );
  assert.ok(draws.size > 3, `only ${draws.size} different choices in 12 streams`);
});

Deno.test("every policy keeps order, specials and exactly the budget", () => {
  for (const policy of TRUNCATION_POLICIES) {
    for (let budget = 3; budget <= IDS.length + 2; budget++) {
      const kept = keptPositions(IDS, { ...inputs(policy), budget });
      assert.deepEqual([...kept], [...kept].sort((a, b) => a - b), policy);
      assert.equal(kept[0], 0, policy);
      assert.equal(kept.at(-1), IDS.length - 1, policy);
      const expected = policy === "none" ? IDS.length : Math.min(budget, IDS.length);
      if (policy === "type-whole") assert.ok(kept.length <= expected && kept.length >= 2);
      else assert.equal(kept.length, expected, `${policy} at ${budget}`);
    }
  }
});

Deno.test("truncate() removes later positions first where scores tie", () => {
  const tied = { policy: "occurrence", scores: new Map(), budget: 3 } as const;
  assert.deepEqual(truncate([5, 6, 7, 8], tied), [5, 6, 7]);
  assert.deepEqual(truncate([5, 6, 5, 6], { ...tied, policy: "type" }), [5, 6, 5]);
  assert.deepEqual(
    truncate([5, 6, 7, 8], { policy: "contextual", scores: [1, 1, 1, 1], budget: 2 }),
    [5, 6],
  );
});

Deno.test("truncate() gives unknown tokens the mean score", () => {
  // Mean of 0.1 and 0.9 is 0.5: the unknown 99 stays longer than 10 and goes before 11.
  const scores = new Map([[10, 0.1], [11, 0.9]]);
  const options = { policy: "occurrence", scores } as const;
  assert.deepEqual(truncate([99, 10, 11], { ...options, budget: 2 }), [99, 11]);
  assert.deepEqual(truncate([99, 10, 11], { ...options, budget: 1 }), [11]);
});

Deno.test("truncate() returns the kind of array it was given", () => {
  const options = { policy: "right", budget: 2 } as const;
  assert.deepEqual(truncate(Int32Array.of(1, 2, 3), options), Int32Array.of(1, 2));
  assert.deepEqual(truncate(Uint16Array.of(1, 2, 3), options), Uint16Array.of(1, 2));
  const ids = [1, 2];
  assert.notEqual(truncate(ids, options), ids);
});

Deno.test("truncateBatch() truncates each row by itself and pads again", () => {
  const batch = padRows([[CLS, 10, 11, 12, SEP], [CLS, 13, SEP], []], 0, 6);
  const half = (tokens: number) => budgetForShare(0.6, tokens, 2);
  const right = truncateBatch(batch, { policy: "right", budget: half, specials });
  assert.deepEqual(right, {
    ids: Int32Array.of(CLS, 10, SEP, CLS, 13, SEP, 0, 0, 0),
    mask: Int32Array.of(1, 1, 1, 1, 1, 1, 0, 0, 0),
    batch: 3,
    length: 3,
  });
  const scores = new Float32Array(18);
  scores[3] = 1;
  const contextual = truncateBatch(batch, { policy: "contextual", budget: 3, specials, scores });
  assert.deepEqual([...contextual.ids.subarray(0, 3)], [CLS, 12, SEP]);
  assert.throws(
    () => truncateBatch({ ...batch, mask: batch.mask.subarray(1) }, { policy: "right", budget: 3 }),
    /17 mask values/,
  );
});

Deno.test("truncate() refuses wrong input and says what is wrong", () => {
  const right = { policy: "right" } as const;
  assert.throws(() => truncate([], { ...right, budget: 3 }), /input is empty/);
  for (const budget of [-1, 0, 1.5, NaN]) {
    assert.throws(() => truncate(IDS, { ...right, budget }), RangeError);
  }
  assert.throws(() => cut("right", 2), /2 special tokens/);
  assert.throws(
    () => cut("occurrence", 5, { scores: new Map([[10, NaN]]) }),
    /score of token 10 is NaN/,
  );
  assert.throws(() => cut("contextual", 5, { scores: IDS.map(() => NaN) }), /position 0 is NaN/);
  assert.throws(() => cut("contextual", 5, { scores: [1] }), /1 values/);
  assert.throws(() => cut("contextual", 5, { scores: TABLE }), /a map/);
  assert.throws(() => cut("type", 5, { scores: [1, 2] }), /an array/);
  assert.throws(() => cut("tf-idf", 5, { frequencies: undefined }), /frequencies are missing/);
  assert.throws(() => cut("newest" as "right", 5), /expected one of none, right/);
  for (const share of [0, -0.5, 1.5, NaN]) {
    assert.throws(() => budgetForShare(share, 10, 2), RangeError);
  }
});

Deno.test("TokenScores averages over occurrences and survives JSON", () => {
  const dictionary = new TokenScores();
  dictionary.add([7, 8, 7], [0.1, 0.5, 0.3]);
  dictionary.add(Int32Array.of(8), Float32Array.of(0.25));
  const copy = TokenScores.fromJson(JSON.parse(JSON.stringify(dictionary.toJson())));
  for (const d of [dictionary, copy]) {
    assert.deepEqual([...d.table()].sort(), [[7, 0.2], [8, 0.375]]);
    assert.deepEqual([d.size, d.count(7), d.count(9), d.coverage(8)], [2, 2, 0, 0.25]);
    assert.equal(d.sources.size, 2);
  }
  assert.throws(() => dictionary.add([1, 2], [1]), /2 tokens and 1 scores/);
  assert.throws(() => dictionary.add([1], [NaN]), /score 0 is NaN/);
});
