/**
 * Incremental counts of neighbouring pairs for BPE training.
 * @module
 */

/** A pair of neighbouring ids. */
export interface Pair {
  readonly left: number;
  readonly right: number;
}

/**
 * Keeps, for every pair, how often it occurs and in which words; a merge touches only the words
 * that hold the pair. The counts are exact at all times; the heap over them is lazy: an entry is
 * checked against the count when it comes up.
 */
export class PairCounts {
  readonly #words: Int32Array[];
  readonly #wordCounts: readonly number[];
  readonly #vocabSize: number;
  readonly #counts = new Map<number, number>();
  /** Words where a pair occurred when it was counted; some may have lost it since. */
  readonly #places = new Map<number, number[]>();
  readonly #heap = new CountHeap();

  /**
   * @param words Ids of each distinct word; overwritten by merges.
   * @param wordCounts How often each word occurs.
   * @param vocabSize Upper bound of ids.
   */
  constructor(words: Int32Array[], wordCounts: readonly number[], vocabSize: number) {
    this.#words = words;
    this.#wordCounts = wordCounts;
    this.#vocabSize = vocabSize;
    for (let w = 0; w < words.length; w++) this.#count(w, 1, () => true);
    for (const [key, count] of this.#counts) this.#heap.push(count, key);
  }

  /** The most frequent pair with at least `minimum` occurrences; ties go to the smaller ids. */
  takeBest(minimum: number): Pair | undefined {
    for (;;) {
      const entry = this.#heap.pop();
      if (entry === undefined) return undefined;
      const count = this.#counts.get(entry.key) ?? 0;
      if (count < minimum) continue;
      if (count !== entry.count) {
        this.#heap.push(count, entry.key);
        continue;
      }
      const right = entry.key % this.#vocabSize;
      return { left: (entry.key - right) / this.#vocabSize, right };
    }
  }

  /** Replaces every occurrence of the pair by `id`, from left to right in each word. */
  merge(left: number, right: number, id: number): void {
    const key = left * this.#vocabSize + right;
    const places = this.#places.get(key) ?? [];
    const touched = new Set<number>();
    for (const w of new Set(places)) {
      const word = this.#words[w];
      const merged = replacePair(word, left, right, id);
      if (merged.length === word.length) continue;
      this.#count(w, -1, () => false);
      this.#words[w] = merged;
      // The other pairs of the word are listed already.
      this.#count(w, 1, (a, b) => a === id || b === id);
      for (let i = 0; i + 1 < merged.length; i++) {
        if (merged[i] === id || merged[i + 1] === id) {
          touched.add(merged[i] * this.#vocabSize + merged[i + 1]);
        }
      }
    }
    this.#counts.delete(key);
    this.#places.delete(key);
    for (const pair of touched) {
      const count = this.#counts.get(pair) ?? 0;
      if (count > 0) this.#heap.push(count, pair);
    }
  }

  #count(w: number, sign: 1 | -1, isNew: (left: number, right: number) => boolean): void {
    const word = this.#words[w];
    const amount = sign * this.#wordCounts[w];
    for (let i = 0; i + 1 < word.length; i++) {
      const key = word[i] * this.#vocabSize + word[i + 1];
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + amount);
      if (!isNew(word[i], word[i + 1])) continue;
      const places = this.#places.get(key);
      if (places === undefined) this.#places.set(key, [w]);
      else if (places[places.length - 1] !== w) places.push(w);
    }
  }
}

function replacePair(word: Int32Array, left: number, right: number, id: number): Int32Array {
  const out = new Int32Array(word.length);
  let length = 0;
  for (let i = 0; i < word.length; i++) {
    if (i + 1 < word.length && word[i] === left && word[i + 1] === right) {
      out[length++] = id;
      i++;
    } else {
      out[length++] = word[i];
    }
  }
  return out.slice(0, length);
}

/** Largest count first; equal counts by smaller key, which is smaller left id, then right id. */
class CountHeap {
  readonly #counts: number[] = [];
  readonly #keys: number[] = [];

  push(count: number, key: number): void {
    let at = this.#counts.length;
    this.#counts.push(count);
    this.#keys.push(key);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(count, key, parent)) break;
      this.#copy(parent, at);
      at = parent;
    }
    this.#counts[at] = count;
    this.#keys[at] = key;
  }

  pop(): { count: number; key: number } | undefined {
    if (this.#counts.length === 0) return undefined;
    const top = { count: this.#counts[0], key: this.#keys[0] };
    const count = this.#counts.pop()!;
    const key = this.#keys.pop()!;
    const length = this.#counts.length;
    if (length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (
        child + 1 < length && this.#before(this.#counts[child + 1], this.#keys[child + 1], child)
      ) child++;
      if (this.#before(count, key, child)) break;
      this.#copy(child, at);
      at = child;
    }
    this.#counts[at] = count;
    this.#keys[at] = key;
    return top;
  }

  #before(count: number, key: number, other: number): boolean {
    return count > this.#counts[other] ||
      (count === this.#counts[other] && key < this.#keys[other]);
  }

  #copy(from: number, to: number): void {
    this.#counts[to] = this.#counts[from];
    this.#keys[to] = this.#keys[from];
  }
}
