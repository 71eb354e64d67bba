/**
 * Agreement of two orders of the same items.
 * @module
 */

/**
 * Spearman's rank correlation: 1 for the same order, -1 for the reverse, about 0 for unrelated ones. Ties get their mean rank.
 *
 * @returns NaN for fewer than two items or where one side is constant.
 */
export function rankCorrelation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) {
    throw new RangeError(
      `Cannot correlate ranks: lengths are ${a.length} and ${b.length}, expected equal`,
    );
  }
  const [x, y] = [ranks(a), ranks(b)];
  const centre = (a.length - 1) / 2;
  let xy = 0;
  let xx = 0;
  let yy = 0;
  for (let i = 0; i < a.length; i++) {
    xy += (x[i] - centre) * (y[i] - centre);
    xx += (x[i] - centre) ** 2;
    yy += (y[i] - centre) ** 2;
  }
  return xy / Math.sqrt(xx * yy);
}

/** Size of the intersection over that of the union of two sets of positions; 1 for two empty ones. */
export function overlap(a: Iterable<number>, b: Iterable<number>): number {
  const [x, y] = [new Set(a), new Set(b)];
  const union = new Set([...x, ...y]).size;
  return union === 0 ? 1 : (x.size + y.size - union) / union;
}

function ranks(values: ArrayLike<number>): Float64Array {
  const order = Array.from(values, (_, i) => i).sort((i, j) => values[i] - values[j]);
  const result = new Float64Array(values.length);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && values[order[end]] === values[order[start]]) end++;
    for (let i = start; i < end; i++) result[order[i]] = (start + end - 1) / 2;
    start = end;
  }
  return result;
}
