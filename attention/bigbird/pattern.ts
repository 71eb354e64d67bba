import type { BlockPattern } from "../block_sparse/pattern.ts";
import { type RandomBlocks, randomBlockTable } from "./random_blocks.ts";

/** The pattern of BigBird (Zaheer et al. 2020, arXiv:2007.14062): a window of blocks, random blocks and globals. */
export interface BigBirdPattern extends RandomBlocks {
  /** Leading positions of the sequence that see and are seen by all, at least 1. */
  readonly globals: number;
  /** Text tokens per block; a query sees its own block and both neighbours. */
  readonly blockSize: number;
}

/**
 * Checks a pattern.
 *
 * @throws {RangeError} If a value is out of range.
 */
export function checkBigBirdPattern(pattern: BigBirdPattern): void {
  const least = { globals: 1, blockSize: 1, randomBlocks: 0 } as const;
  for (const [key, minimum] of Object.entries(least)) {
    const value = pattern[key as keyof typeof least];
    if (!(Number.isInteger(value) && value >= minimum)) {
      throw new RangeError(
        `Cannot attend with BigBird: ${key} is ${value}, expected a whole number of at least ${minimum}`,
      );
    }
  }
}

/** Range 0 is the window, the others are the blocks of a list in `table`; `lists` is the first place of its kind. */
const ranges = (name: string, lists: string) =>
  `fn ${name}_list(block: u32, head: u32) -> u32 { return ${lists} + head * u.blocks + block; }
fn ${name}_ranges(block: u32, head: u32) -> u32 {
  let list = ${name}_list(block, head);
  return 1u + u32(table[list + 1u] - table[list]);
}
fn ${name}_range(n: u32, block: u32, first: u32, end: u32, head: u32) -> vec2u {
  if (n == 0u) {
    return vec2u((max(block, 1u) - 1u) * u.block, min((block + 2u) * u.block, u.T));
  }
  let other = u32(table[u32(table[${name}_list(block, head)]) + n - 1u]);
  return vec2u(other * u.block, min((other + 1u) * u.block, u.T));
}`;

/** The pattern on a text of `T` tokens as the kernels want it. */
export function bigBirdBlockPattern(
  pattern: BigBirdPattern,
  heads: number,
  T: number,
): BlockPattern {
  const { globals } = pattern;
  const blockSize = Math.min(pattern.blockSize, T);
  const blocks = Math.ceil(T / blockSize);
  return {
    name: "bigbird",
    globals,
    block: blockSize,
    causal: false,
    hideFirst: false,
    uniforms: [{ name: "inverse", type: "u32", value: heads * blocks + 1 }],
    table: randomBlockTable(pattern, heads, blocks),
    keyRanges: ranges("key", "0u"),
    queryRanges: ranges("query", "u.inverse"),
  };
}
