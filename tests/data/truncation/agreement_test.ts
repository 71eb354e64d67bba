import assert from "node:assert/strict";
import { findLeaks, overlap, rankCorrelation, TokenScores } from "../../../data/truncation/mod.ts";

Deno.test("rankCorrelation() compares orders, ties at their mean rank", () => {
  assert.equal(rankCorrelation([1, 2, 3], [10, 20, 900]), 1);
  assert.equal(rankCorrelation([1, 2, 3], [3, 2, 1]), -1);
  // Ranks 0.5 0.5 2 against 0 1 2: covariance 1.5, variances 1.5 and 2.
  assert.ok(Math.abs(rankCorrelation([1, 1, 2], [1, 2, 3]) - 1.5 / Math.sqrt(3)) < 1e-12);
  assert.ok(Number.isNaN(rankCorrelation([1, 1], [1, 2])));
  assert.throws(() => rankCorrelation([1], [1, 2]), RangeError);
});

Deno.test("overlap() is intersection over union", () => {
  assert.equal(overlap([1, 2, 3], [2, 3, 4]), 0.5);
  assert.equal(overlap([], []), 1);
});

Deno.test("findLeaks() catches a test document planted in the dictionary", () => {
  const train = [[5, 6, 7], [8, 9]];
  const test = [[5, 6], [7, 6, 5]];
  const dictionary = new TokenScores();
  for (const ids of train) dictionary.add(ids, ids.map(() => 1));
  assert.deepEqual(findLeaks(dictionary.sources, test), []);
  dictionary.add(test[1], [1, 1, 1]);
  assert.deepEqual(findLeaks(dictionary.sources, test), [1]);
});
