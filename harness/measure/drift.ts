import { median, medianAbsoluteDeviation } from "../statistics/mod.ts";
import { DRIFT_LIMIT, DRIFT_MIN_BLOCKS } from "./policy.ts";

/**
 * Whether a fixed kernel, timed once per block, changed its speed over the blocks: other work on the
 * machine or a changing clock rate. A change counts when it is both large and beyond the scatter.
 *
 * @param calibratorNs Time of the calibrator kernel, block by block.
 */
export function hasDrift(calibratorNs: readonly number[]): boolean {
  if (calibratorNs.length < DRIFT_MIN_BLOCKS) return false;
  const third = Math.floor(calibratorNs.length / 3);
  const first = calibratorNs.slice(0, third);
  const last = calibratorNs.slice(-third);
  const before = median(first);
  const change = Math.abs(median(last) - before);
  // 1.4826 MAD estimates the standard deviation; two such errors of a median of `third` samples.
  const scatter = 1.4826 * Math.max(medianAbsoluteDeviation(first), medianAbsoluteDeviation(last));
  return change > DRIFT_LIMIT * before && change > 2 * 1.2533 * scatter / Math.sqrt(third);
}
