import { hash4, normalAt } from "../../engine/mod.ts";

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

/** Buckets of every round of a chunk: whole chunks before the last round, then the slots that are kept. */
export function lshRounds(chunk: number, factor: number, preRounds: number): number[] {
  return [...Array(preRounds).fill(chunk), chunk / factor];
}
