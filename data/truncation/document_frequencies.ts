/**
 * tf-idf, the classic measure of how much a word says about its document.
 * @module
 */

/** In how many documents each token id occurs. */
export class DocumentFrequencies {
  readonly #documents = new Map<number, number>();
  #count = 0;

  /** Counts one document. */
  add(ids: ArrayLike<number>): void {
    this.#count++;
    for (const id of new Set(Array.from(ids))) {
      this.#documents.set(id, (this.#documents.get(id) ?? 0) + 1);
    }
  }

  /** Documents counted. */
  get count(): number {
    return this.#count;
  }

  /** ln((1 + N) / (1 + df)) + 1, the smoothed form, so that an id never seen still has a value. */
  inverse(id: number): number {
    return Math.log((1 + this.#count) / (1 + (this.#documents.get(id) ?? 0))) + 1;
  }

  /** tf-idf of every position of a document: occurrences of its id in the document times the inverse document frequency. */
  weights(ids: ArrayLike<number>): Float64Array {
    const occurrences = new Map<number, number>();
    for (let i = 0; i < ids.length; i++) {
      occurrences.set(ids[i], (occurrences.get(ids[i]) ?? 0) + 1);
    }
    return Float64Array.from(ids, (id) => occurrences.get(id)! * this.inverse(id));
  }
}
