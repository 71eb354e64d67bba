import type { Interval } from "../schema/_base.ts";
import {
  BOOTSTRAP_MIN_SAMPLES,
  BOOTSTRAP_SEED,
  bootstrapInterval,
  type BootstrapOptions,
} from "./bootstrap.ts";
import { mean } from "./quantile.ts";
import { SeededRandom } from "./seeded_random.ts";

export interface PairedEstimate {
  /** Geometric mean of candidate / baseline, or mean of candidate - baseline. */
  readonly estimate: number;
  readonly interval: Interval | null;
  readonly n: number;
  /** Two-sided p value of a sign-flip permutation test; null for fewer than three pairs. */
  readonly pValue: number | null;
}

/**
 * Compares paired samples (same block, same seed, same test item): ratio or difference with a
 * bootstrap interval over pairs and a permutation p value. Ratios are averaged as logarithms.
 *
 * @param baseline Samples of the baseline.
 * @param candidate Samples of the candidate, pair by pair.
 */
export function pairedBootstrap(
  baseline: readonly number[],
  candidate: readonly number[],
  options: BootstrapOptions & { readonly scale: "ratio" | "difference" },
): PairedEstimate {
  const effects = pairedEffects(baseline, candidate, options.scale);
  const back = options.scale === "ratio" ? Math.exp : (value: number) => value;
  const interval = bootstrapInterval(effects, { ...options, statistic: mean, method: "bca" });
  return {
    estimate: back(mean(effects)),
    interval: interval && {
      low: back(interval.low),
      high: back(interval.high),
      level: interval.level,
      method: "bootstrap-paired",
    },
    n: effects.length,
    pValue: effects.length < BOOTSTRAP_MIN_SAMPLES ? null : signFlipPValue(effects, options.seed),
  };
}

/** candidate - baseline per pair, or its logarithmic form for ratios. */
export function pairedEffects(
  baseline: readonly number[],
  candidate: readonly number[],
  scale: "ratio" | "difference",
): number[] {
  if (baseline.length !== candidate.length || baseline.length === 0) {
    throw new RangeError(
      `Cannot compare pairs: lengths are ${baseline.length} and ${candidate.length}, expected ` +
        "equal and not 0; pair samples by block or seed first",
    );
  }
  return baseline.map((base, i) => {
    if (scale === "difference") return candidate[i] - base;
    if (!(base > 0 && candidate[i] > 0)) {
      throw new RangeError(
        `Cannot take a ratio: pair ${i} is ${candidate[i]} / ${base}, expected both above 0; ` +
          "compare differences instead",
      );
    }
    return Math.log(candidate[i] / base);
  });
}

/** Up to this many pairs every sign pattern is tried; above, patterns are drawn. */
export const EXACT_SIGN_FLIP_PAIRS = 12;
const DRAWN_PATTERNS = 10_000;

/**
 * Two-sided p value of "the effects are symmetric around 0", by flipping signs. Exact for few
 * pairs, where a bootstrap p value would be too small.
 */
export function signFlipPValue(effects: readonly number[], seed = BOOTSTRAP_SEED): number {
  const observed = Math.abs(mean(effects));
  // Sums in another order differ in the last bits; equal patterns must still count as equal.
  const bound = observed * (1 - 1e-12);
  const exact = effects.length <= EXACT_SIGN_FLIP_PAIRS;
  const patterns = exact ? 2 ** effects.length : DRAWN_PATTERNS;
  const random = new SeededRandom(seed);
  let extreme = 0;
  for (let pattern = 0; pattern < patterns; pattern++) {
    let sum = 0;
    for (let i = 0; i < effects.length; i++) {
      const flip = exact ? (pattern >> i) & 1 : random.nextUint32() >>> 31;
      sum += flip ? -effects[i] : effects[i];
    }
    if (Math.abs(sum / effects.length) >= bound) extreme++;
  }
  return exact ? extreme / patterns : (extreme + 1) / (patterns + 1);
}
