/**
 * Counter-based random numbers: a value is a pure function of (seed, stream, index), so any part of a run can be made again without
 * the parts before it, and the WGSL twin (`kernels/random_wgsl.ts`) gives the same bits.
 */

/** Mixes four words into four (pcg4d: Jarzynski and Olano 2020, "Hash Functions for GPU Rendering"). */
export function hash4(
  a: number,
  b: number,
  c: number,
  d: number,
): [number, number, number, number] {
  let x = Math.imul(a, 1664525) + 1013904223;
  let y = Math.imul(b, 1664525) + 1013904223;
  let z = Math.imul(c, 1664525) + 1013904223;
  let w = Math.imul(d, 1664525) + 1013904223;
  x = (x + Math.imul(y, w)) | 0;
  y = (y + Math.imul(z, x)) | 0;
  z = (z + Math.imul(x, y)) | 0;
  w = (w + Math.imul(y, z)) | 0;
  x ^= x >>> 16;
  y ^= y >>> 16;
  z ^= z >>> 16;
  w ^= w >>> 16;
  x = (x + Math.imul(y, w)) | 0;
  y = (y + Math.imul(z, x)) | 0;
  z = (z + Math.imul(x, y)) | 0;
  w = (w + Math.imul(y, z)) | 0;
  return [x >>> 0, y >>> 0, z >>> 0, w >>> 0];
}

/** A 32-bit stream number from a name such as a parameter's (FNV-1a over UTF-16 units). */
export function streamOf(name: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** Uniform in [0, 1) with 24 random bits, the resolution of f32. */
export function uniformAt(seed: number, stream: number, index: number): number {
  return (hash4(index, stream, seed, 0)[0] >>> 8) / 0x1000000;
}

/** Standard normal value (Box-Muller on 53 and 32 random bits). */
export function normalAt(seed: number, stream: number, index: number): number {
  const [a, b, c] = hash4(index, stream, seed, 1);
  const u = ((a >>> 6) * 0x8000000 + (b >>> 5) + 1) / 0x20000000000000;
  return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * c / 0x100000000);
}

/** Fills a parameter with its initial values. */
export type Initializer = (target: Float32Array, seed: number, name: string) => void;

/** Normal with mean 0. The draws depend on seed and parameter name only, never on the order of declaration. */
export function normal(std: number): Initializer {
  return (target, seed, name) => {
    const stream = streamOf(name);
    for (let i = 0; i < target.length; i++) target[i] = std * normalAt(seed, stream, i);
  };
}

/** Every element equal to `value`. */
export function constant(value: number): Initializer {
  return (target) => {
    target.fill(value);
  };
}

/** Given values, for example from a checkpoint or a golden file. */
export function values(data: ArrayLike<number>): Initializer {
  return (target, _seed, name) => {
    if (data.length !== target.length) {
      throw new RangeError(
        `Cannot initialise ${name}: got ${data.length} values, expected ${target.length}`,
      );
    }
    target.set(data);
  };
}
