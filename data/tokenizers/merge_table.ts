/**
 * Ranked merges, and their application to one piece.
 * @module
 */

import { MinHeap } from "./min_heap.ts";

/** Which pair of ids merges, in which order, into what. */
export class MergeTable {
  readonly #ranks = new Map<number, number>();
  readonly #results: Int32Array;
  readonly #vocabSize: number;

  /**
   * @param tokens Written form of every id.
   * @param ids Id of every written form.
   * @param merges Pairs of ids in order of rank.
   */
  constructor(
    tokens: readonly string[],
    ids: ReadonlyMap<string, number>,
    merges: readonly (readonly [number, number])[],
  ) {
    this.#vocabSize = tokens.length;
    this.#results = Int32Array.from(merges, ([left, right], rank) => {
      const result = ids.get(tokens[left] + tokens[right]);
      if (result === undefined) {
        throw new RangeError(
          `Cannot use merge ${rank}: "${tokens[left]}" + "${
            tokens[right]
          }" is not in the vocabulary`,
        );
      }
      this.#ranks.set(left * this.#vocabSize + right, rank);
      return result;
    });
  }

  /** Rank of a pair; -1 when it does not merge. */
  rank(left: number, right: number): number {
    return this.#ranks.get(left * this.#vocabSize + right) ?? -1;
  }

  /** Id that the merge of a rank gives. */
  result(rank: number): number {
    return this.#results[rank];
  }
}

/**
 * Applies merges to the ids of one piece: lowest rank first, leftmost first among equals.
 *
 * A linked list and a heap keep it at O(n log n), so that a long run of unbroken characters in a
 * hostile text does not take quadratic time.
 * @param ids Overwritten.
 */
export function mergeBytes(ids: Int32Array, merges: MergeTable): Int32Array {
  const n = ids.length;
  if (n < 2) return ids;
  const next = Int32Array.from(ids, (_, i) => i + 1);
  const previous = Int32Array.from(ids, (_, i) => i - 1);
  const heap = new MinHeap();
  const offer = (at: number) => {
    if (at < 0 || next[at] >= n) return;
    const rank = merges.rank(ids[at], ids[next[at]]);
    // Rank and position in one number order by rank first, then from left to right.
    if (rank >= 0) heap.push(rank * n + at);
  };
  for (let i = 0; i < n - 1; i++) offer(i);
  for (let entry = heap.pop(); entry !== undefined; entry = heap.pop()) {
    const at = entry % n;
    const rank = (entry - at) / n;
    const right = next[at];
    // Entries of pairs that were merged away in the meantime are recognised here.
    if (ids[at] < 0 || right >= n || merges.rank(ids[at], ids[right]) !== rank) continue;
    ids[at] = merges.result(rank);
    ids[right] = -1;
    next[at] = next[right];
    if (next[at] < n) previous[next[at]] = at;
    offer(previous[at]);
    offer(at);
  }
  return ids.filter((id) => id >= 0);
}
