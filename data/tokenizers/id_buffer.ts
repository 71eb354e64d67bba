/**
 * A growing list of ids.
 * @module
 */

/** Collects ids in one typed array that doubles when full. */
export class IdBuffer {
  #ids: Int32Array<ArrayBuffer>;
  #length = 0;

  /** @param expected How many ids will probably come. */
  constructor(expected = 0) {
    this.#ids = new Int32Array(Math.max(16, Math.ceil(expected)));
  }

  /** Appends ids. */
  append(ids: ArrayLike<number>): void {
    const end = this.#length + ids.length;
    if (end > this.#ids.length) {
      const grown = new Int32Array(Math.max(end, this.#ids.length * 2));
      grown.set(this.#ids.subarray(0, this.#length));
      this.#ids = grown;
    }
    // Pieces are a handful of ids; a loop beats `set` there.
    for (let i = 0; i < ids.length; i++) this.#ids[this.#length + i] = ids[i];
    this.#length = end;
  }

  /** A copy of exactly the ids collected. */
  toArray(): Int32Array<ArrayBuffer> {
    return this.#ids.slice(0, this.#length);
  }
}
