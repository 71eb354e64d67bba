import type { Interval } from "../schema/_base.ts";
import {
  BOOTSTRAP_MIN_SAMPLES,
  BOOTSTRAP_RESAMPLES,
  BOOTSTRAP_SEED,
  INTERVAL_LEVEL,
} from "./bootstrap.ts";
import { quantileSorted } from "./quantile.ts";
import { SeededRandom } from "./seeded_random.ts";

export interface TwoSampleOptions {
  readonly statistic: (samples: readonly number[]) => number;
  readonly scale: "ratio" | "difference";
  readonly seed?: number;
  readonly resamples?: number;
  /** @default INTERVAL_LEVEL */
  readonly level?: number;
}

/**
 * Ratio or difference of a statistic of two independent samples (other session, other machine),
 * candidate against baseline, with a percentile bootstrap interval.
 */
export function twoSampleBootstrap(
  baseline: readonly number[],
  candidate: readonly number[],
  options: TwoSampleOptions,
): { estimate: number; interval: Interval | null } {
  const { statistic, scale, level = INTERVAL_LEVEL } = options;
  const effect = (a: readonly number[], b: readonly number[]) =>
    scale === "ratio" ? statistic(b) / statistic(a) : statistic(b) - statistic(a);
  const estimate = effect(baseline, candidate);
  if (Math.min(baseline.length, candidate.length) < BOOTSTRAP_MIN_SAMPLES) {
    return { estimate, interval: null };
  }
  const random = new SeededRandom(options.seed ?? BOOTSTRAP_SEED);
  const draw = (samples: readonly number[]) =>
    samples.map(() => samples[random.nextInt(samples.length)]);
  const replicates = Float64Array.from(
    { length: options.resamples ?? BOOTSTRAP_RESAMPLES },
    () => effect(draw(baseline), draw(candidate)),
  ).sort();
  const tail = (1 - level) / 2;
  const interval: Interval = {
    low: quantileSorted(replicates, tail),
    high: quantileSorted(replicates, 1 - tail),
    level,
    method: "bootstrap-percentile",
  };
  return { estimate, interval };
}
