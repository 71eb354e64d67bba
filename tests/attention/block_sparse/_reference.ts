import { dropoutKeeps } from "../../../engine/mod.ts";

/** Sizes of one call of attention over a pattern, and what it hides. */
export interface PatternInput {
  readonly B: number;
  readonly H: number;
  readonly N: number;
  readonly d: number;
  readonly keyMask?: ArrayLike<number>;
  readonly dropout?: { readonly p: number; readonly seed: number; readonly stream: number };
}

/**
 * Attention in float64 over the keys that `sees` allows, from the packed projection [B, N, 3, H, d].
 *
 * @param sees May the query at position i see the key at position j in this head?
 * @returns [B, N, H, d]
 */
export function referencePattern(
  packed: ArrayLike<number>,
  { B, H, N, d, keyMask, dropout }: PatternInput,
  sees: (i: number, j: number, head: number) => boolean,
): Float64Array {
  const output = new Float64Array(B * N * H * d);
  const at = (b: number, position: number, part: number, h: number) =>
    (((b * N + position) * 3 + part) * H + h) * d;
  for (let b = 0; b < B; b++) {
    for (let h = 0; h < H; h++) {
      for (let i = 0; i < N; i++) {
        const scores: [number, number][] = [];
        for (let j = 0; j < N; j++) {
          if (!sees(i, j, h) || (keyMask && keyMask[b * N + j] === 0)) continue;
          let s = 0;
          for (let c = 0; c < d; c++) {
            s += packed[at(b, i, 0, h) + c] * packed[at(b, j, 1, h) + c];
          }
          scores.push([j, s / Math.sqrt(d)]);
        }
        const highest = Math.max(...scores.map(([, s]) => s));
        const total = scores.reduce((sum, [, s]) => sum + Math.exp(s - highest), 0);
        for (const [j, s] of scores) {
          const index = ((b * H + h) * N + i) * N + j;
          const kept = dropout ? (dropoutKeeps(index, dropout) ? 1 / (1 - dropout.p) : 0) : 1;
          const p = Math.exp(s - highest) / total * kept;
          for (let c = 0; c < d; c++) {
            output[((b * N + i) * H + h) * d + c] += p * packed[at(b, j, 2, h) + c];
          }
        }
      }
    }
  }
  return output;
}

/** Marks the end of every batch entry, and one position in the middle, as padding. */
export function paddedMask(B: number, N: number): Int32Array {
  const mask = new Int32Array(B * N).fill(1);
  for (let b = 0; b < B; b++) {
    mask.fill(0, b * N + Math.ceil(N * (0.85 - 0.1 * b)), (b + 1) * N);
    mask[b * N + Math.floor(N / 2)] = 0;
  }
  return mask;
}
