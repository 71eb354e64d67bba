import assert from "node:assert/strict";
import * as oracle from "simple-statistics";
import {
  bootstrapInterval,
  comparePairs,
  countOutliers,
  equivalenceTest,
  fitPowerLaw,
  holm,
  linearFit,
  logGamma,
  mean,
  meanInterval,
  median,
  medianAbsoluteDeviation,
  normalCdf,
  normalQuantile,
  pairedBootstrap,
  quantile,
  quartiles,
  SeededRandom,
  signFlipPValue,
  standardDeviation,
  studentTCdf,
  studentTQuantile,
  summarizeSamples,
} from "../../../harness/statistics/mod.ts";

function close(actual: number, expected: number, bound = 1e-9) {
  const error = Math.abs(actual - expected) / Math.max(1, Math.abs(expected));
  assert.ok(error <= bound, `${actual} is not ${expected} (relative error ${error} > ${bound})`);
}

/** Normal samples by the sum of twelve uniforms: enough for coverage checks. */
function normalSamples(random: SeededRandom, n: number): number[] {
  return Array.from({ length: n }, () => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += random.next();
    return sum;
  });
}

Deno.test("quantile() follows type 7 and leaves its input alone", () => {
  const values = [9, 1, 4, 3];
  close(quantile(values, 0.25), 2.5);
  close(median(values), 3.5);
  assert.deepEqual(quartiles([1, 2, 3, 4, 5]), [2, 3, 4]);
  assert.deepEqual(values, [9, 1, 4, 3]);
  assert.throws(() => median([]), RangeError);
  assert.throws(() => quantile([1], 1.5), RangeError);
});

Deno.test("median(), deviation and mean agree with simple-statistics", () => {
  const random = new SeededRandom(3);
  for (const n of [2, 5, 8, 101]) {
    const values = Array.from({ length: n }, () => random.next() * 100);
    close(median(values), oracle.median(values));
    close(medianAbsoluteDeviation(values), oracle.medianAbsoluteDeviation(values));
    close(mean(values), oracle.mean(values));
    close(standardDeviation(values), oracle.sampleStandardDeviation(values));
  }
});

Deno.test("countOutliers() counts beyond the Tukey fences only", () => {
  assert.equal(countOutliers([1, 2, 3, 4, 5, 6, 7, 8]), 0);
  assert.equal(countOutliers([1, 2, 3, 4, 5, 6, 7, 80, -90]), 2);
});

Deno.test("distributions match tabulated values", () => {
  close(logGamma(0.5), Math.log(Math.sqrt(Math.PI)), 1e-12);
  close(logGamma(11), Math.log(3628800), 1e-12);
  close(normalCdf(1.959963984540054), 0.975, 1e-13);
  close(normalCdf(-3), 0.0013498980316300933, 1e-12);
  close(normalQuantile(0.975), 1.959963984540054, 1e-10);
  close(studentTQuantile(0.975, 1), 12.706204736174694, 1e-9);
  close(studentTQuantile(0.975, 4), 2.7764451051977934, 1e-9);
  close(studentTQuantile(0.95, 30), 1.6972608865939587, 1e-9);
  close(studentTCdf(2, 10), 0.963305983, 1e-8);
  close(studentTCdf(-2, 10) + studentTCdf(2, 10), 1, 1e-14);
});

Deno.test("linearFit() agrees with simple-statistics and a worked interval", () => {
  const x = [1, 2, 3, 4, 5];
  const y = [2.1, 3.9, 6.2, 7.8, 10.1];
  const fit = linearFit(x, y);
  const { m, b } = oracle.linearRegression(x.map((value, i) => [value, y[i]]));
  close(fit.slope, m);
  close(fit.intercept, b);
  // Residual sum of squares 0.107, sxx 10, t(0.975, 3) 3.18245.
  close(fit.interval!.high - fit.slope, 3.182446305284263 * Math.sqrt(0.107 / 3 / 10), 1e-9);
  assert.equal(linearFit([1, 2], [1, 2]).interval, null);
  assert.throws(() => linearFit([1, 1], [1, 2]), /all x are equal/);
});

Deno.test("fitPowerLaw() recovers exponent and coefficient", () => {
  const x = [256, 512, 1024, 2048];
  const fit = fitPowerLaw(x, x.map((value) => 3e-3 * value ** 1.7));
  close(fit.exponent, 1.7, 1e-12);
  close(fit.coefficient, 3e-3, 1e-12);
  close(fit.rSquared, 1, 1e-12);
  assert.throws(() => fitPowerLaw([1, 2], [0, 1]), RangeError);
});

Deno.test("bootstrapInterval() is seeded, ordered and absent for two samples", () => {
  const values = normalSamples(new SeededRandom(1), 40);
  assert.deepEqual(bootstrapInterval(values), bootstrapInterval(values));
  assert.notDeepEqual(bootstrapInterval(values), bootstrapInterval(values, { seed: 5 }));
  const interval = bootstrapInterval(values)!;
  assert.ok(interval.low <= median(values) && median(values) <= interval.high);
  assert.equal(bootstrapInterval([1, 2]), null);
});

Deno.test("bootstrapInterval() covers the truth about as often as it says", () => {
  const random = new SeededRandom(77);
  for (const [method, statistic] of [["percentile", median], ["bca", mean]] as const) {
    let covered = 0;
    for (let trial = 0; trial < 200; trial++) {
      const interval = bootstrapInterval(normalSamples(random, 30), {
        method,
        statistic,
        resamples: 400,
        seed: trial,
      })!;
      if (interval.low <= 0 && 0 <= interval.high) covered++;
    }
    // 200 trials at 95 %: fewer than 176 or all of them would be a fault, not luck.
    assert.ok(covered >= 176 && covered < 200, `${method} covered ${covered} of 200`);
  }
});

Deno.test("bootstrapInterval() by BCa leans with the skew where the percentile does not", () => {
  const values = Array.from({ length: 30 }, (_, i) => Math.exp(i / 6));
  const bca = bootstrapInterval(values, { method: "bca", statistic: mean })!;
  const plain = bootstrapInterval(values, { statistic: mean })!;
  assert.ok(bca.low > plain.low && bca.high > plain.high);
});

Deno.test("meanInterval() matches Student's t", () => {
  const interval = meanInterval([1, 2, 3, 4, 5])!;
  close(interval.high, 3 + 2.7764451051977934 * Math.sqrt(2.5 / 5), 1e-9);
  assert.equal(meanInterval([1]), null);
});

Deno.test("signFlipPValue() is exact for few pairs", () => {
  // All five effects positive: only the two uniform patterns are as extreme.
  close(signFlipPValue([1, 2, 3, 4, 5]), 2 / 32);
  close(signFlipPValue([1, -1, 1, -1]), 1);
});

Deno.test("pairedBootstrap() finds the ratio through common drift", () => {
  const random = new SeededRandom(9);
  const baseline = Array.from({ length: 20 }, (_, i) => 100 * (1 + i / 10));
  const candidate = baseline.map((value) => value * 0.8 * (1 + 0.01 * (random.next() - 0.5)));
  const paired = pairedBootstrap(baseline, candidate, { scale: "ratio" });
  close(paired.estimate, 0.8, 0.01);
  assert.ok(paired.interval!.high < 0.82 && paired.interval!.low > 0.78);
  assert.ok(paired.pValue! < 0.001);
  assert.throws(() => pairedBootstrap([1], [1, 2], { scale: "ratio" }), /pair samples/);
  assert.throws(() => pairedBootstrap([0], [1], { scale: "ratio" }), RangeError);
});

Deno.test("holm() matches a worked example and keeps nulls", () => {
  const adjusted = holm([0.01, null, 0.04, 0.03, 0.005]);
  assert.equal(adjusted[1], null);
  [0.03, 0.06, 0.06, 0.02].forEach((value, i) =>
    close(adjusted.filter((p) => p !== null)[i] as number, value)
  );
});

Deno.test("equivalenceTest() needs both one-sided tests", () => {
  const tight = [0.01, -0.02, 0.015, -0.005, 0.0];
  assert.equal(equivalenceTest(tight, 0.1)!.equivalent, true);
  assert.equal(equivalenceTest(tight, 0.005)!.equivalent, false);
  assert.equal(equivalenceTest(tight.map((value) => value + 0.3), 0.1)!.equivalent, false);
  // Noisy and not significantly different: must not pass as equivalent.
  assert.equal(equivalenceTest([1, -1, 2, -2, 0.5], 0.5)!.equivalent, false);
  assert.equal(equivalenceTest([1], 1), null);
  // Against a by-hand value: mean 0, s = 1, n = 4, margin 2 gives t = 4 on 3 degrees.
  const unit = [-1, 1, -1, 1].map((value) => value * Math.sqrt(3 / 4));
  close(equivalenceTest(unit, 2)!.pValue, 1 - studentTCdf(4, 3), 1e-9);
});

Deno.test("comparePairs() gives better, worse, equivalent and inconclusive", () => {
  const base = Array.from({ length: 10 }, (_, i) => 100 + i);
  const make = (id: string, factor: (i: number) => number, margin?: number) => ({
    id,
    metric: "step",
    baseline: { variant: "a", params: {} },
    candidate: { variant: id, params: {} },
    baselineValues: base,
    candidateValues: base.map((value, i) => value * factor(i)),
    scale: "ratio" as const,
    better: "lower" as const,
    margin,
  });
  const wobble = (i: number) => 1 + (i % 2 ? 0.001 : -0.001);
  const found = comparePairs([
    make("fast", (i) => 0.5 * wobble(i)),
    make("slow", (i) => 1.5 * wobble(i)),
    make("same", wobble, 1.05),
    make("noisy", (i) => i % 2 ? 1.4 : 0.7),
  ]);
  assert.deepEqual(found.map((item) => item.verdict), [
    "better",
    "worse",
    "equivalent",
    "inconclusive",
  ]);
  for (const item of found) assert.ok(item.pAdjusted! >= item.pValue!);
});

Deno.test("summarizeSamples() divides by the repetitions and keeps every sample", () => {
  const stats = summarizeSamples([100, 200, 300, 400, 5000], 10)!;
  assert.equal(stats.n, 5);
  assert.equal(stats.medianNs, 30);
  assert.equal(stats.maxNs, 500);
  assert.equal(stats.outliers, 1);
  assert.equal(summarizeSamples([]), null);
});

Deno.test("SeededRandom repeats for a seed, differs between seeds and is uniform", () => {
  const draw = (seed: number) => {
    const random = new SeededRandom(seed);
    return Array.from({ length: 8 }, () => random.nextUint32());
  };
  assert.deepEqual(draw(1), draw(1));
  assert.notDeepEqual(draw(1), draw(2));
  const random = new SeededRandom(4);
  const counts = new Array(10).fill(0);
  for (let i = 0; i < 10_000; i++) counts[random.nextInt(10)]++;
  // Chi-squared on 9 degrees: 33.7 has p = 0.0001.
  assert.ok(counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0) < 33.7);
  assert.deepEqual(random.shuffle([1, 2, 3, 4]).sort(), [1, 2, 3, 4]);
});
