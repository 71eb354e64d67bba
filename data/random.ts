/**
 * Counter-based random numbers: every draw is a pure function of (seed, stream, index), so an order
 * of blocks can be rebuilt at any epoch and step without a stored generator state.
 *
 * The mixing function is a 32-bit xor-shift-multiply hash with the constants of the "lowbias32"
 * search (C. Wellons, 2018), applied once per key word. It is meant for shuffling, not for secrets.
 * @module
 */

/** A uniform 32-bit unsigned integer for (seed, stream, index), each an unsigned 32-bit integer. */
export function random32(seed: number, stream: number, index: number): number {
  // Odd constants keep (seed, stream, index) and its permutations apart.
  let h = mix((seed ^ 0x9e3779b9) >>> 0);
  h = mix((h + Math.imul(stream, 0x85ebca6b)) >>> 0);
  return mix((h ^ Math.imul(index + 1, 0xc2b2ae35)) >>> 0);
}

/**
 * The numbers 0 .. count-1 in a pseudo-random order (Fisher-Yates).
 *
 * The bounded draw is multiply-shift; its bias is below count / 2^32, far under anything a shuffle
 * of blocks can show.
 */
export function shuffledIndices(count: number, seed: number, stream: number): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random32(seed, stream, i) / 2 ** 32 * (i + 1));
    const kept = order[i];
    order[i] = order[j];
    order[j] = kept;
  }
  return order;
}

function mix(x: number): number {
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  x ^= x >>> 16;
  return x >>> 0;
}
