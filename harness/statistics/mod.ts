/**
 * Statistics of the suite: pure, seeded, runtime-neutral.
 * @module
 */
export {
  BOOTSTRAP_MIN_SAMPLES,
  BOOTSTRAP_RESAMPLES,
  BOOTSTRAP_SEED,
  bootstrapInterval,
  type BootstrapOptions,
  INTERVAL_LEVEL,
} from "./bootstrap.ts";
export { comparePairs, type PairInput, SIGNIFICANCE_LEVEL } from "./compare_pairs.ts";
export {
  incompleteBeta,
  logGamma,
  normalCdf,
  normalQuantile,
  studentTCdf,
  studentTQuantile,
} from "./distributions.ts";
export { type Equivalence, EQUIVALENCE_LEVEL, equivalenceTest } from "./equivalence.ts";
export { fitPowerLaw, type LinearFit, linearFit, type PowerLawFit } from "./fit.ts";
export { growthFit, type GrowthFitInput } from "./growth_fit.ts";
export { holm } from "./holm.ts";
export { meanInterval } from "./mean_interval.ts";
export {
  EXACT_SIGN_FLIP_PAIRS,
  pairedBootstrap,
  pairedEffects,
  type PairedEstimate,
  signFlipPValue,
} from "./paired.ts";
export {
  countOutliers,
  mean,
  median,
  medianAbsoluteDeviation,
  OUTLIER_FENCE,
  quantile,
  quantileSorted,
  quartiles,
  sorted,
  standardDeviation,
} from "./quantile.ts";
export { hashText, SeededRandom } from "./seeded_random.ts";
export { STATS_FORMULA_VERSION, summarizeSamples } from "./summarize_samples.ts";
export { twoSampleBootstrap, type TwoSampleOptions } from "./two_sample.ts";
