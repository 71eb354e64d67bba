import type { Gpu } from "../../engine/mod.ts";

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

/** Key in `gpu.choices` that sets the preferred number of tokens per chunk. */
export const LEAP_CHUNK_CHOICE = "leap_chunk";

/** Tokens one thread walks: long chunks cost fewer passes, short ones give a real GPU more threads. */
const CHUNK = { software: 64, hardware: 16 } as const;

/** Preferred number of tokens per chunk on this adapter. */
export function preferredChunk(gpu: Gpu): number {
  const forced = gpu.choices.get(LEAP_CHUNK_CHOICE);
  if (forced === undefined) return CHUNK[gpu.info.class];
  const length = Number(forced);
  if (!Number.isInteger(length) || length < 1) {
    throw new RangeError(
      `Cannot cut LEAP into chunks: gpu.choices "${LEAP_CHUNK_CHOICE}" is ${forced}, expected an integer of at least 1`,
    );
  }
  return length;
}

/**
 * Cuts T tokens for windows of `window`.
 *
 * Windows up to the preferred length become the chunk itself: a window is then a suffix of one chunk and a prefix of the next, and
 * chunks need nothing from each other. Longer windows also span whole chunks; the length is chosen so that few tokens are left over.
 */
export function chunksFor(T: number, window: number, preferred: number): Chunks {
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
