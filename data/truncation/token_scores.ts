/**
 * Average score per token id over a corpus: the dictionary that dictionary-based truncation looks tokens up in.
 * @module
 */

/** Serialised form of {@link TokenScores}. */
export interface TokenScoresJson {
  readonly ids: number[];
  readonly scores: number[];
  readonly counts: number[];
  readonly sources: string[];
}

/**
 * A dictionary of mean scores by token id. It takes token ids and scores, never labels, and remembers a fingerprint of every document
 * it was given, so that {@link findLeaks} can tell whether a text that must stay unseen was among them.
 *
 * @example
 * ```ts ignore
 * const dictionary = new TokenScores();
 * for (const [i, ids] of documents.entries()) dictionary.add(ids, scores[i]);
 * truncate(ids, { policy: "occurrence", budget: 64, scores: dictionary.table() });
 * ```
 */
export class TokenScores {
  readonly #sums = new Map<number, number>();
  readonly #counts = new Map<number, number>();
  readonly #sources = new Set<string>();

  /**
   * Adds one document.
   *
   * @param ids Token ids.
   * @param scores One score per token.
   * @throws {RangeError} If the lengths differ or a score is not finite.
   */
  add(ids: ArrayLike<number>, scores: ArrayLike<number>): void {
    if (ids.length !== scores.length) {
      throw new RangeError(
        `Cannot add a document to the scores: it has ${ids.length} tokens and ${scores.length} scores, ` +
          "expected one score per token",
      );
    }
    for (let i = 0; i < ids.length; i++) {
      if (!Number.isFinite(scores[i])) {
        throw new RangeError(
          `Cannot add a document to the scores: score ${i} is ${
            scores[i]
          }, expected a finite number`,
        );
      }
    }
    this.#sources.add(documentFingerprint(ids));
    for (let i = 0; i < ids.length; i++) {
      this.#sums.set(ids[i], (this.#sums.get(ids[i]) ?? 0) + scores[i]);
      this.#counts.set(ids[i], (this.#counts.get(ids[i]) ?? 0) + 1);
    }
  }

  /** Fingerprints of the documents added. */
  get sources(): ReadonlySet<string> {
    return this.#sources;
  }

  /** Token ids with a score. */
  get size(): number {
    return this.#sums.size;
  }

  /** Mean score by token id. */
  table(): Map<number, number> {
    return new Map([...this.#sums].map(([id, sum]) => [id, sum / this.#counts.get(id)!]));
  }

  /** How often a token id occurred. */
  count(id: number): number {
    return this.#counts.get(id) ?? 0;
  }

  /** Share of the vocabulary that has a score. */
  coverage(vocabSize: number): number {
    return this.size / vocabSize;
  }

  toJson(): TokenScoresJson {
    const ids = [...this.#sums.keys()];
    return {
      ids,
      scores: ids.map((id) => this.#sums.get(id)!),
      counts: ids.map((id) => this.#counts.get(id)!),
      sources: [...this.#sources],
    };
  }

  static fromJson({ ids, scores, counts, sources }: TokenScoresJson): TokenScores {
    const result = new TokenScores();
    ids.forEach((id, i) => {
      result.#sums.set(id, scores[i]);
      result.#counts.set(id, counts[i]);
    });
    for (const source of sources) result.#sources.add(source);
    return result;
  }
}

/** 64 bits of a document's token ids (two rounds of FNV-1a), as text. For finding equal documents, not for secrets. */
export function documentFingerprint(ids: ArrayLike<number>): string {
  let a = 0x811c9dc5;
  let b = 0x9747b28c;
  for (let i = 0; i < ids.length; i++) {
    a = Math.imul(a ^ ids[i], 0x01000193);
    b = Math.imul(b ^ ids[i] ^ i, 0x01000193);
    b ^= b >>> 15;
  }
  return `${(a >>> 0).toString(16)}-${(b >>> 0).toString(16)}-${ids.length}`;
}

/**
 * Documents that were used although they must stay unseen.
 *
 * @param used Fingerprints of what a dictionary (or a model, or a tokenizer) was made from.
 * @param unseen Token ids of the documents that must not be among them.
 * @returns Indices into `unseen`.
 */
export function findLeaks(
  used: ReadonlySet<string>,
  unseen: readonly ArrayLike<number>[],
): number[] {
  return unseen.flatMap((ids, i) => used.has(documentFingerprint(ids)) ? [i] : []);
}
