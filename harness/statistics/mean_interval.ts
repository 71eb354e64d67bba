import type { Interval } from "../schema/_base.ts";
import { INTERVAL_LEVEL } from "./bootstrap.ts";
import { studentTQuantile } from "./distributions.ts";
import { mean, standardDeviation } from "./quantile.ts";

/**
 * Student's t interval of a mean: for figures over a handful of seeds, where a bootstrap would be
 * too narrow.
 *
 * @returns null for fewer than two values.
 */
export function meanInterval(values: readonly number[], level = INTERVAL_LEVEL): Interval | null {
  if (values.length < 2) return null;
  const half = studentTQuantile(0.5 + level / 2, values.length - 1) *
    standardDeviation(values) / Math.sqrt(values.length);
  const centre = mean(values);
  return { low: centre - half, high: centre + half, level, method: "student-t" };
}
