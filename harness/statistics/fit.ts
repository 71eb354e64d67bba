import type { Interval } from "../schema/_base.ts";
import { INTERVAL_LEVEL } from "./bootstrap.ts";
import { studentTQuantile } from "./distributions.ts";
import { mean } from "./quantile.ts";

export interface LinearFit {
  readonly slope: number;
  readonly intercept: number;
  /** Interval of the slope; null for fewer than three points. */
  readonly interval: Interval | null;
  readonly rSquared: number;
  readonly n: number;
}

export interface PowerLawFit {
  readonly exponent: number;
  readonly coefficient: number;
  readonly interval: Interval | null;
  readonly rSquared: number;
  readonly n: number;
}

/** Least-squares line y = intercept + slope x with Student's t interval of the slope. */
export function linearFit(
  x: readonly number[],
  y: readonly number[],
  level = INTERVAL_LEVEL,
): LinearFit {
  const n = x.length;
  if (n !== y.length || n < 2) {
    throw new RangeError(
      `Cannot fit a line: lengths are ${n} and ${y.length}, expected equal and at least 2`,
    );
  }
  const centreX = mean(x);
  const centreY = mean(y);
  let sxx = 0;
  let sxy = 0;
  let syy = 0;
  for (let i = 0; i < n; i++) {
    sxx += (x[i] - centreX) ** 2;
    sxy += (x[i] - centreX) * (y[i] - centreY);
    syy += (y[i] - centreY) ** 2;
  }
  if (sxx === 0) throw new RangeError("Cannot fit a line: all x are equal, expected two or more");
  const slope = sxy / sxx;
  const intercept = centreY - slope * centreX;
  let residual = 0;
  for (let i = 0; i < n; i++) residual += (y[i] - intercept - slope * x[i]) ** 2;
  let interval: Interval | null = null;
  if (n > 2) {
    const half = studentTQuantile(0.5 + level / 2, n - 2) * Math.sqrt(residual / (n - 2) / sxx);
    interval = { low: slope - half, high: slope + half, level, method: "student-t" };
  }
  return { slope, intercept, interval, rSquared: syy === 0 ? 1 : 1 - residual / syy, n };
}

/**
 * Power law y = coefficient * x^exponent, by least squares on log axes. The exponent is the growth
 * of a cost over a sweep (1 linear, 2 quadratic) or, with its sign, the alpha of a scaling law.
 *
 * @throws RangeError where a value is not above 0.
 */
export function fitPowerLaw(
  x: readonly number[],
  y: readonly number[],
  level = INTERVAL_LEVEL,
): PowerLawFit {
  for (const value of [...x, ...y]) {
    if (!(value > 0 && Number.isFinite(value))) {
      throw new RangeError(`Cannot fit a power law: a value is ${value}, expected above 0`);
    }
  }
  const fit = linearFit(x.map(Math.log), y.map(Math.log), level);
  return {
    exponent: fit.slope,
    coefficient: Math.exp(fit.intercept),
    interval: fit.interval,
    rSquared: fit.rSquared,
    n: fit.n,
  };
}
