import type { Interval } from "../schema/_base.ts";
import { normalCdf, normalQuantile } from "./distributions.ts";
import { mean, median, quantileSorted } from "./quantile.ts";
import { SeededRandom } from "./seeded_random.ts";

/** Resamples drawn for an interval. */
export const BOOTSTRAP_RESAMPLES = 2000;
/** Coverage of every interval of the suite. */
export const INTERVAL_LEVEL = 0.95;
/** Seed of the resampling: fixed, so that derived figures recompute to the last bit. */
export const BOOTSTRAP_SEED = 20221122;
/** Below this many samples a bootstrap says nothing, and no interval is given. */
export const BOOTSTRAP_MIN_SAMPLES = 3;

export interface BootstrapOptions {
  /** @default median */
  readonly statistic?: (samples: readonly number[]) => number;
  /**
   * `percentile` suits the median; `bca` (bias-corrected, accelerated) suits smooth statistics such
   * as the mean.
   * @default "percentile"
   */
  readonly method?: "percentile" | "bca";
  /** @default BOOTSTRAP_RESAMPLES */
  readonly resamples?: number;
  /** @default BOOTSTRAP_SEED */
  readonly seed?: number;
  /** @default INTERVAL_LEVEL */
  readonly level?: number;
}

/**
 * Bootstrap interval of a statistic of one sample (Efron and Tibshirani 1993, chapters 13 and 14).
 *
 * @returns null where there are fewer than {@link BOOTSTRAP_MIN_SAMPLES} samples.
 */
export function bootstrapInterval(
  samples: readonly number[],
  options: BootstrapOptions = {},
): Interval | null {
  const { statistic = median, method = "percentile", level = INTERVAL_LEVEL } = options;
  if (samples.length < BOOTSTRAP_MIN_SAMPLES) return null;
  const resamples = options.resamples ?? BOOTSTRAP_RESAMPLES;
  const random = new SeededRandom(options.seed ?? BOOTSTRAP_SEED);
  const replicates = new Float64Array(resamples);
  const draw = new Array<number>(samples.length);
  for (let r = 0; r < resamples; r++) {
    for (let i = 0; i < draw.length; i++) draw[i] = samples[random.nextInt(samples.length)];
    replicates[r] = statistic(draw);
  }
  replicates.sort();
  const tail = (1 - level) / 2;
  const [lowP, highP] = method === "percentile"
    ? [tail, 1 - tail]
    : correctedTails(samples, statistic, replicates, tail);
  return {
    low: quantileSorted(replicates, lowP),
    high: quantileSorted(replicates, highP),
    level,
    method: method === "bca" ? "bootstrap-bca" : "bootstrap-percentile",
  };
}

/** Tail probabilities corrected for bias and acceleration (BCa). */
function correctedTails(
  samples: readonly number[],
  statistic: (samples: readonly number[]) => number,
  replicates: Float64Array,
  tail: number,
): [number, number] {
  const observed = statistic(samples);
  // Ties count half: a discrete statistic would otherwise look biased.
  let below = 0;
  for (const value of replicates) below += value < observed ? 1 : value === observed ? 0.5 : 0;
  const share = below / replicates.length;
  if (share <= 0 || share >= 1) return [tail, 1 - tail];
  const bias = normalQuantile(share);
  const leaveOneOut = samples.map((_, i) => statistic(samples.filter((_, j) => j !== i)));
  const centre = mean(leaveOneOut);
  let square = 0;
  let cube = 0;
  for (const value of leaveOneOut) {
    square += (centre - value) ** 2;
    cube += (centre - value) ** 3;
  }
  const acceleration = square === 0 ? 0 : cube / (6 * square ** 1.5);
  const corrected = (p: number) => {
    const z = bias + normalQuantile(p);
    return normalCdf(bias + z / (1 - acceleration * z));
  };
  return [corrected(tail), corrected(1 - tail)];
}
