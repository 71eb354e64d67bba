import { uniformAt } from "../../engine/mod.ts";

/** How random blocks are drawn. */
export interface RandomBlocks {
  /** Further blocks that a block of queries sees, its own draw in every head. */
  readonly randomBlocks: number;
  /** Seed of the draws. @default {0} */
  readonly seed?: number;
}

const made = new Map<string, Int32Array>();

/**
 * The random blocks of every head and block of queries, [H, blocks, count] in rising order: drawn without repeats from the blocks outside
 * the window, by the seed alone. There are fewer than `randomBlocks` where the text has not so many others.
 */
export function randomBlocks(
  { randomBlocks: wanted, seed = 0 }: RandomBlocks,
  heads: number,
  blocks: number,
): number[][][] {
  return Array.from(
    { length: heads },
    (_, head) =>
      Array.from({ length: blocks }, (_, block) => {
        const others = Array.from({ length: blocks }, (_, other) => other)
          .filter((other) => Math.abs(other - block) > 1);
        const count = Math.min(wanted, others.length);
        // The first steps of a Fisher-Yates shuffle.
        for (let n = 0; n < count; n++) {
          const draw = uniformAt(seed, head, block * wanted + n);
          const at = n + Math.floor(draw * (others.length - n));
          [others[n], others[at]] = [others[at], others[n]];
        }
        return others.slice(0, count).sort((a, b) => a - b);
      }),
  );
}

/**
 * The random blocks and their inverse as one table for the kernels: H * blocks + 1 places of the lists of key blocks per query block, as
 * many for the query blocks per key block, then the lists. Made once for the same arguments.
 */
export function randomBlockTable(
  pattern: RandomBlocks,
  heads: number,
  blocks: number,
): Int32Array {
  const key = [pattern.seed ?? 0, pattern.randomBlocks, heads, blocks].join();
  let table = made.get(key);
  if (!table) made.set(key, table = buildTable(randomBlocks(pattern, heads, blocks)));
  return table;
}

function buildTable(chosen: readonly number[][][]): Int32Array {
  const inverse = chosen.map((perBlock) => {
    const lists = perBlock.map((): number[] => []);
    perBlock.forEach((others, block) => others.forEach((other) => lists[other].push(block)));
    return lists;
  });
  const places: number[] = [];
  const entries: number[] = [];
  const start = 2 * (chosen.length * chosen[0].length + 1);
  for (const lists of [chosen.flat(), inverse.flat()]) {
    for (const list of lists) {
      places.push(start + entries.length);
      entries.push(...list);
    }
    places.push(start + entries.length);
  }
  return Int32Array.from([...places, ...entries]);
}
