/**
 * Holm's step-down correction: adjusted p values that keep the family-wise error rate
 * (Holm 1979). Null entries (tests that could not be made) stay null and do not count.
 *
 * @param pValues p values in any order.
 * @returns Adjusted p values in the same order.
 */
export function holm(pValues: readonly (number | null)[]): (number | null)[] {
  const order = pValues.map((_, i) => i).filter((i) => pValues[i] !== null)
    .sort((a, b) => (pValues[a] as number) - (pValues[b] as number));
  const adjusted: (number | null)[] = pValues.map(() => null);
  let largest = 0;
  order.forEach((index, rank) => {
    largest = Math.max(largest, Math.min(1, (order.length - rank) * (pValues[index] as number)));
    adjusted[index] = largest;
  });
  return adjusted;
}
