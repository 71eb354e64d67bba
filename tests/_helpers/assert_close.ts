import { AssertionError } from "node:assert";

/** Largest allowed distance of two arrays. */
export interface Tolerance {
  /** Root mean square of the difference over that of the reference. @default {1e-5} */
  readonly relative?: number;
  /** Differences below this never count. @default {1e-7} */
  readonly absolute?: number;
}

/** Root mean square of (actual - expected) divided by that of expected. */
export function relativeRms(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0;
  let reference = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i] - expected[i]) ** 2;
    reference += expected[i] ** 2;
  }
  return Math.sqrt(difference / Math.max(reference, Number.MIN_VALUE));
}

/** Throws unless both arrays have the same length, no NaN, and lie within the tolerance. Names the tensor, the error and the bound. */
export function assertClose(
  name: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { relative = 1e-5, absolute = 1e-7 }: Tolerance = {},
): void {
  if (actual.length !== expected.length) {
    throw new AssertionError({
      message: `${name}: ${actual.length} values, expected ${expected.length}`,
    });
  }
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    if (Number.isNaN(actual[i]) || Number.isNaN(expected[i])) {
      throw new AssertionError({
        message: `${name}: element ${i} is ${actual[i]}, expected ${expected[i]}`,
      });
    }
    if (!(Math.abs(actual[i] - expected[i]) <= Math.abs(actual[worst] - expected[worst]))) {
      worst = i;
    }
  }
  if (expected.length === 0 || Math.abs(actual[worst] - expected[worst]) <= absolute) return;
  const error = relativeRms(actual, expected);
  if (!(error <= relative)) {
    throw new AssertionError({
      message:
        `${name}: relative RMS error ${
          error.toExponential(2)
        } is over ${relative}; worst element ${worst}: ` +
        `${actual[worst]}, expected ${expected[worst]}`,
    });
  }
}
