import type { Stats } from "../schema/cell.ts";
import { bootstrapInterval } from "./bootstrap.ts";
import { countOutliers, medianAbsoluteDeviation, quantileSorted, sorted } from "./quantile.ts";

/** Raise when a formula of the derived block changes. */
export const STATS_FORMULA_VERSION = 1;

/**
 * The derived block of a timing. No sample is dropped; outliers are counted.
 *
 * @param samplesNs Samples in ns, each of `number` repetitions.
 * @returns Figures per repetition, or null without samples.
 */
export function summarizeSamples(samplesNs: readonly number[], number = 1): Stats | null {
  if (samplesNs.length === 0) return null;
  const single = samplesNs.map((value) => value / number);
  const ascending = sorted(single);
  return {
    formulaVersion: STATS_FORMULA_VERSION,
    n: single.length,
    medianNs: quantileSorted(ascending, 0.5),
    q25Ns: quantileSorted(ascending, 0.25),
    q75Ns: quantileSorted(ascending, 0.75),
    madNs: medianAbsoluteDeviation(single),
    minNs: ascending[0],
    maxNs: ascending[ascending.length - 1],
    outliers: countOutliers(single),
    interval: bootstrapInterval(single),
  };
}
