import { studentTCdf } from "./distributions.ts";
import { mean, standardDeviation } from "./quantile.ts";

/** Significance level of the equivalence test. */
export const EQUIVALENCE_LEVEL = 0.05;

export interface Equivalence {
  /** Margin declared before the run, in the unit of the effects. */
  readonly margin: number;
  /** The larger of the two one-sided p values. */
  readonly pValue: number;
  readonly equivalent: boolean;
}

/**
 * Two one-sided t tests (TOST, Schuirmann 1987) on paired effects: is the mean inside
 * (-margin, +margin)? "Not different" is never read from a difference test that failed to reject.
 *
 * @param effects Paired differences, or logarithms of ratios (then margin is a logarithm too).
 * @returns null for fewer than two pairs.
 */
export function equivalenceTest(effects: readonly number[], margin: number): Equivalence | null {
  if (!(margin > 0)) {
    throw new RangeError(`Cannot test equivalence: margin is ${margin}, expected > 0`);
  }
  if (effects.length < 2) return null;
  const centre = mean(effects);
  const error = standardDeviation(effects) / Math.sqrt(effects.length);
  if (error === 0) {
    const inside = Math.abs(centre) < margin;
    return { margin, pValue: inside ? 0 : 1, equivalent: inside };
  }
  const df = effects.length - 1;
  const pLow = 1 - studentTCdf((centre + margin) / error, df);
  const pHigh = studentTCdf((centre - margin) / error, df);
  const pValue = Math.min(1, Math.max(0, pLow, pHigh));
  return { margin, pValue, equivalent: pValue < EQUIVALENCE_LEVEL };
}
