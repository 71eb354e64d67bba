import type { BlockPattern } from "../block_sparse/pattern.ts";

/** The pattern of Longformer (Beltagy et al. 2020, arXiv:2004.05150): a sliding window and globals. */
export interface LongformerPattern {
  /** Leading positions of the sequence that see and are seen by all, at least 1. */
  readonly globals: number;
  /** Text tokens seen on each side of a query: half of the published `attention_window`. */
  readonly window: number;
}

/** Rows of text whose tiles stand together in the grid; the window is exact whatever it is. */
const BLOCK = 64;

/**
 * Checks a pattern.
 *
 * @throws {RangeError} If a value is out of range.
 */
export function checkLongformerPattern({ globals, window }: LongformerPattern): void {
  for (const [key, value] of Object.entries({ globals, window })) {
    if (!(Number.isInteger(value) && value >= 1)) {
      throw new RangeError(
        `Cannot attend with Longformer: ${key} is ${value}, expected a whole number of at least 1`,
      );
    }
  }
}

/** May text token i see text token j? Symmetric. */
export const inWindow = ({ window }: LongformerPattern, i: number, j: number): boolean =>
  Math.abs(i - j) <= window;

/**
 * The pattern on a text of `T` tokens as the kernels want it: the keys of a tile are its own rows and `window` on each side, and so are
 * its queries.
 */
export function longformerBlockPattern(
  { globals, window }: LongformerPattern,
  T: number,
): BlockPattern {
  const ranges = (name: string) =>
    `fn ${name}_ranges(block: u32, head: u32) -> u32 { return 1u; }
fn ${name}_range(n: u32, block: u32, first: u32, end: u32, head: u32) -> vec2u {
  return vec2u(max(first, u.window) - u.window, min(end + u.window, u.T));
}`;
  return {
    name: "longformer",
    globals,
    block: BLOCK,
    causal: false,
    hideFirst: false,
    uniforms: [{ name: "window", type: "u32", value: Math.min(window, T) }],
    keyRanges: ranges("key"),
    queryRanges: ranges("query"),
    pair: (i, j) =>
      `(min(${i}, ${j}) < u.globals || max(${i}, ${j}) - min(${i}, ${j}) <= u.window)`,
  };
}
