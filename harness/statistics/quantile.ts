/** Order statistics. All functions leave their input untouched and refuse empty input. */

/** Ascending copy. */
export function sorted(values: readonly number[]): number[] {
  if (values.length === 0) throw new RangeError("Cannot summarise samples: there are none");
  return Float64Array.from(values).sort() as unknown as number[];
}

/** Quantile of already ascending values, linear between neighbours (type 7 of Hyndman and Fan). */
export function quantileSorted(ascending: ArrayLike<number>, p: number): number {
  if (!(p >= 0 && p <= 1)) {
    throw new RangeError(`Cannot take a quantile: p is ${p}, expected 0..1`);
  }
  const position = (ascending.length - 1) * p;
  const below = Math.floor(position);
  const above = Math.min(below + 1, ascending.length - 1);
  const share = position - below;
  // Without the test, 0 * infinity would turn an infinite neighbour into NaN.
  return share === 0
    ? ascending[below]
    : ascending[below] + share * (ascending[above] - ascending[below]);
}

/** Quantile, linear between neighbours. */
export function quantile(values: readonly number[], p: number): number {
  return quantileSorted(sorted(values), p);
}

/** Middle value. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Lower quartile, median, upper quartile. */
export function quartiles(values: readonly number[]): [number, number, number] {
  const ascending = sorted(values);
  return [0.25, 0.5, 0.75].map((p) => quantileSorted(ascending, p)) as [number, number, number];
}

/** Median absolute deviation from the median, unscaled. */
export function medianAbsoluteDeviation(values: readonly number[]): number {
  const middle = median(values);
  return median(values.map((value) => Math.abs(value - middle)));
}

/** Arithmetic mean. */
export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("Cannot average samples: there are none");
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** Standard deviation with Bessel's correction; needs two values. */
export function standardDeviation(values: readonly number[]): number {
  if (values.length < 2) {
    throw new RangeError(
      `Cannot take a standard deviation: n is ${values.length}, expected at least 2`,
    );
  }
  const centre = mean(values);
  let sum = 0;
  for (const value of values) sum += (value - centre) ** 2;
  return Math.sqrt(sum / (values.length - 1));
}

/** Multiple of the interquartile range beyond which a sample counts as an outlier (Tukey). */
export const OUTLIER_FENCE = 1.5;

/** Number of samples outside the Tukey fences. They are counted, never dropped. */
export function countOutliers(values: readonly number[]): number {
  const [q25, , q75] = quartiles(values);
  const fence = OUTLIER_FENCE * (q75 - q25);
  return values.filter((value) => value < q25 - fence || value > q75 + fence).length;
}
