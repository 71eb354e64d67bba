import type { Evidence } from "./make_audit.ts";

/** Anything indexable by number: typed arrays, lists. */
export type Values = ArrayLike<number>;

/**
 * Largest error relative to the scale of the reference: max |got - want| / max(rms(want), floor).
 * One scale for the whole tensor, so that tiny entries beside large ones do not dominate.
 *
 * @returns NaN as statistic where either side holds a NaN or infinity the other does not.
 */
export function relativeError(got: Values, want: Values, floor = 1e-30): Evidence {
  if (got.length !== want.length) {
    throw new RangeError(
      `Cannot compare values: lengths are ${got.length} and ${want.length}, expected equal`,
    );
  }
  let square = 0;
  let worst = 0;
  for (let i = 0; i < want.length; i++) {
    if (got[i] === want[i]) {
      if (Number.isFinite(want[i])) square += want[i] * want[i];
      continue;
    }
    const difference = Math.abs(got[i] - want[i]);
    if (!Number.isFinite(difference)) return { n: want.length, statistic: NaN };
    square += want[i] * want[i];
    worst = Math.max(worst, difference);
  }
  const scale = Math.max(Math.sqrt(square / Math.max(1, want.length)), floor);
  return { n: want.length, statistic: worst / scale };
}

/** Number of values whose bits differ (as f32 for Float32Array, as f64 otherwise). */
export function bitDifferences(a: Values, b: Values): Evidence {
  if (a.length !== b.length) {
    throw new RangeError(
      `Cannot compare bits: lengths are ${a.length} and ${b.length}, expected equal`,
    );
  }
  const [left, right] = [bitsOf(a), bitsOf(b)];
  const width = a.length === 0 ? 1 : left.length / a.length;
  let differing = 0;
  for (let i = 0; i < a.length; i++) {
    for (let k = 0; k < width; k++) {
      if (left[i * width + k] !== right[i * width + k]) {
        differing++;
        break;
      }
    }
  }
  return { n: a.length, statistic: differing };
}

function bitsOf(values: Values): Uint8Array {
  const array = values instanceof Float32Array ? values : Float64Array.from(values);
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** Adds evidence up: sums n, keeps the worst statistic; NaN wins. */
export function worstOf(parts: readonly Evidence[]): Evidence {
  let n = 0;
  let statistic = 0;
  for (const part of parts) {
    n += part.n;
    statistic = Number.isNaN(part.statistic) || Number.isNaN(statistic)
      ? NaN
      : Math.max(statistic, part.statistic);
  }
  return { n, statistic };
}

/** Largest absolute difference of two arrays of equal length; NaN once a comparison met one. */
export function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((worst, value, i) => {
    const difference = Math.abs(value - b[i]);
    return difference > worst || Number.isNaN(difference) ? difference : worst;
  }, 0);
}

/** One array after the other, e.g. the gradients of all parameters. */
export function joinArrays(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
