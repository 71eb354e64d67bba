import { deepStrictEqual, equal, notDeepStrictEqual, ok } from "node:assert/strict";
import { random32, shuffledIndices } from "../../data/random.ts";

Deno.test("random32() fills its range evenly along each of its three arguments", () => {
  const draws = 40_000;
  const along = [
    (i: number) => random32(i, 1, 2),
    (i: number) => random32(1, i, 2),
    (i: number) => random32(1, 2, i),
  ];
  for (const draw of along) {
    const buckets = new Float64Array(16);
    for (let i = 0; i < draws; i++) buckets[draw(i) >>> 28]++;
    // Chi-squared with 15 degrees of freedom: 44 is exceeded by chance once in 10,000.
    const expected = draws / 16;
    ok(buckets.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0) < 44);
  }
});

Deno.test("random32() tells its arguments apart", () => {
  const seen = new Set<number>();
  for (let a = 0; a < 12; a++) {
    for (let b = 0; b < 12; b++) for (let c = 0; c < 12; c++) seen.add(random32(a, b, c));
  }
  equal(seen.size, 12 ** 3);
});

Deno.test("shuffledIndices() gives a permutation that seed and stream decide", () => {
  const order = shuffledIndices(1000, 5, 0);
  deepStrictEqual([...order].sort((a, b) => a - b), Array.from({ length: 1000 }, (_, i) => i));
  deepStrictEqual(shuffledIndices(1000, 5, 0), order);
  notDeepStrictEqual(shuffledIndices(1000, 5, 1), order);
  notDeepStrictEqual(shuffledIndices(1000, 6, 0), order);
  equal(shuffledIndices(0, 1, 1).length, 0);
});

Deno.test("shuffledIndices() puts each item at each place about equally often", () => {
  const places = new Float64Array(25);
  const rounds = 20_000;
  for (let seed = 0; seed < rounds; seed++) {
    const order = shuffledIndices(5, seed, 3);
    for (let place = 0; place < 5; place++) places[place * 5 + order[place]]++;
  }
  const expected = rounds / 5;
  // 16 degrees of freedom.
  ok(places.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0) < 46);
});
