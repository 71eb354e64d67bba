/** Every constant of the sampling policy. A report states the policy it was measured under. */

/** Fewest warm-up runs of a case. */
export const WARMUP_MIN_RUNS = 4;
/** Most warm-up runs of a case. */
export const WARMUP_MAX_RUNS = 24;
/** Wall time after which warm-up ends (but never before two runs), in ms. */
export const WARMUP_MAX_MS = 10_000;
/** Runs over which the trend of the warm-up is judged. */
export const WARMUP_WINDOW = 4;
/** Warm-up ends when the fitted change over the window is below this share of its mean. */
export const WARMUP_TREND_LIMIT = 0.1;

/** Fewest samples of a case, unless time runs out. */
export const MIN_SAMPLES = 10;
/** Most samples of a case. */
export const MAX_SAMPLES = 100;
/** Wall time of the timed part per case in ms. */
export const MAX_TIME_MS = 20_000;
/** Samples taken even where time has run out. */
export const FLOOR_SAMPLES = 3;
/** Sampling stops when the 95 % interval of the median is narrower than this share of it. */
export const RELATIVE_WIDTH = 0.02;
/** Shortest sample with GPU timestamps, in ms; shorter work is repeated inside one sample. */
export const MIN_SAMPLE_MS = 1;
/** Shortest sample by wall clock, in ms: the host may learn of the end about 10 ms late. */
export const MIN_SAMPLE_MS_WALL = 100;
/** Most repetitions inside one sample. */
export const MAX_NUMBER = 1000;

/** Samples of the empty-dispatch baseline. */
export const EMPTY_DISPATCH_SAMPLES = 15;
/** A median below this multiple of the baseline is flagged `near-launch-floor`. */
export const NEAR_FLOOR_FACTOR = 1.42;
/** A sample below this share of the roofline floor is flagged `implausible`. */
export const IMPLAUSIBLE_SHARE = 0.5;
/** Change of the calibrator kernel over the blocks above which timings are flagged `drift`. */
export const DRIFT_LIMIT = 0.05;
/** Fewest blocks for a judgement on drift. */
export const DRIFT_MIN_BLOCKS = 6;
/** Samples shorter than this many clock steps are flagged `coarse-clock`. */
export const COARSE_CLOCK_STEPS = 100;
