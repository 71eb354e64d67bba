import { hash4, normalAt } from "../../engine/mod.ts";
import type { LsgPattern } from "./options.ts";

/** Directions that one round of hashing projects on. */
export interface PlaneSize {
  readonly heads: number;
  readonly d: number;
  /** Directions per head: half the buckets. */
  readonly planes: number;
  /** Number of the round, from 0. */
  readonly round: number;
}

const made = new Map<string, Float32Array>();

/**
 * Standard normal directions [H, m, d] of a round, a function of the seed alone, so that evaluation is deterministic where the
 * reference draws anew at every call. Each head and round has its own.
 */
export function lshPlanes(seed: number, { heads, d, planes, round }: PlaneSize): Float32Array {
  const key = [seed, heads, d, planes, round].join();
  let values = made.get(key);
  if (!values) {
    const [stream] = hash4(round, planes, 0x15c, 0);
    values = Float32Array.from(
      { length: heads * planes * d },
      (_, i) => normalAt(seed, stream, i),
    );
    made.set(key, values);
  }
  return values;
}

/**
 * The directions of a round of a pattern: given ones, or those of its seed.
 *
 * @throws {RangeError} If given ones have another size.
 */
export function roundPlanes(
  { lshPlanes: given, lshSeed = 0 }: Pick<LsgPattern, "lshPlanes" | "lshSeed">,
  size: PlaneSize,
): Float32Array {
  if (!given) return lshPlanes(lshSeed, size);
  const { heads, d, planes, round } = size;
  const expected = heads * planes * d;
  if (given[round]?.length === expected) return given[round];
  throw new RangeError(
    `Cannot attend with LSG: lshPlanes[${round}] has ${
      given[round]?.length ?? "no"
    } numbers, expected ${expected} ` +
      `for ${heads} heads, ${planes} directions and width ${d}`,
  );
}

/** Buckets of every round of a chunk: whole chunks before the last round, then the slots that are kept. */
export function lshRounds(chunk: number, factor: number, preRounds: number): number[] {
  return [...Array(preRounds).fill(chunk), chunk / factor];
}
