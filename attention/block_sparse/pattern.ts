import type { Uniform } from "../../engine/mod.ts";

/**
 * Which text keys the queries of a block of text see, as data and WGSL. A sequence is `globals` positions followed by text; every query
 * sees the globals. Ranges count text tokens from 0 and may not overlap.
 */
export interface BlockPattern {
  /** Part of the kernels' keys: all that is spliced below. */
  readonly name: string;
  /** Leading positions that every query sees and that see every position. */
  readonly globals: number;
  /** Text queries that share their ranges. */
  readonly block: number;
  /** Text sees no later text, and a global attends to nothing: its output is its own query. */
  readonly causal: boolean;
  /** No query sees text token 0. */
  readonly hideFirst: boolean;
  readonly uniforms: readonly Uniform[];
  /** Numbers that the ranges look up; bound as `table`. */
  readonly table?: Int32Array;
  /**
   * WGSL of `key_ranges(block, head) -> u32` and `key_range(n, block, first, end, head) -> vec2u`: the ranges of text keys that the
   * queries `first` .. `end` - 1 of a block may see.
   */
  readonly keyRanges: string;
  /** WGSL of `query_ranges` and `query_range`: the same for the queries that may see a block of keys. */
  readonly queryRanges: string;
  /** WGSL condition on a pair of positions of the sequence, where the ranges hold more than the pattern does. */
  readonly pair?: (i: string, j: string) => string;
}

/**
 * Sparse keys of LSG: slots that each stand for one chosen token or for several pooled ones. Block b has `perBlock` slots; its queries
 * see `reach` slots before those of block b - 1 and `reach` from those of block b + `right` on.
 */
export interface SlotPattern {
  /** Slots of the whole text. */
  readonly count: number;
  readonly perBlock: number;
  readonly reach: number;
  readonly right: number;
  /** Slots after the block are seen too. */
  readonly bothSides: boolean;
  /** Keys and values are sums over tokens, held in a buffer of their own; else each slot is a token of the sequence. */
  readonly pooled: boolean;
}

/** Ranges of the blocks before, at and (unless causal) after a block: what LSG and BigBird share. */
export function neighbourRanges(causal: boolean): { keyRanges: string; queryRanges: string } {
  const before = "max(block, 1u) - 1u";
  const after = `min((block + 2u) * u.block, u.T)`;
  return {
    keyRanges: `fn key_ranges(block: u32, head: u32) -> u32 { return 1u; }
fn key_range(n: u32, block: u32, first: u32, end: u32, head: u32) -> vec2u {
  return vec2u((${before}) * u.block, ${causal ? "end" : after});
}`,
    queryRanges: `fn query_ranges(block: u32, head: u32) -> u32 { return 1u; }
fn query_range(n: u32, block: u32, first: u32, end: u32, head: u32) -> vec2u {
  return vec2u(${causal ? "first" : `(${before}) * u.block`}, ${after});
}`,
  };
}
