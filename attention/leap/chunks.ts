/** How the time axis is cut for a windowed scan. */
export interface Chunks {
  /** Tokens per chunk, C. */
  readonly length: number;
  readonly count: number;
  /** True when windows start inside the sequence, so that old tokens have to leave. */
  readonly windowed: boolean;
  /** Whole chunks between the one a window starts in and the one it ends in (windowed), else all earlier chunks. */
  readonly whole: number;
}

/** Tokens one thread walks: long chunks cost fewer passes, short ones give a real GPU more threads. */
const CHUNK = { software: 64, hardware: 16 } as const;

/**
 * Cuts T tokens for windows of `window`.
 *
 * Windows up to the preferred length become the chunk itself: a window is then a suffix of one chunk and a prefix of the next, and
 * chunks need nothing from each other. Longer windows also span whole chunks; the length is chosen so that few tokens are left over.
 */
export function chunksFor(T: number, window: number, adapter: "software" | "hardware"): Chunks {
  const preferred = CHUNK[adapter];
  if (window >= T) {
    const length = Math.min(T, preferred);
    const count = Math.ceil(T / length);
    return { length, count, windowed: false, whole: count };
  }
  const length = Math.floor(window / Math.ceil(window / preferred));
  return {
    length,
    count: Math.ceil(T / length),
    windowed: true,
    whole: Math.floor(window / length) - 1,
  };
}
