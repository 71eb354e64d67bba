/**
 * Blocks and batches for next-token prediction, or that of a token further on.
 * @module
 */

import { shuffledIndices } from "./random.ts";
import type { TokenizedCorpus } from "./tokenized_corpus.ts";

/** Target of a position that has nothing to predict; the loss leaves it out. */
export const IGNORED_TARGET = -1;

/** Settings of {@link LanguageModellingData}. */
export interface LanguageModellingOptions {
  /** Tokens per block (T). */
  readonly blockLength: number;
  /**
   * - `"next"`: the last position of a block predicts the first token of the following block, so
   *   every token of the stream is predicted once;
   * - `"inside"`: it predicts nothing, so a block has T - 1 predictions, as where a model shifts
   *   the labels itself (the source of the LEAP figures).
   * @default {"next"}
   */
  readonly targets?: "next" | "inside";
  /**
   * Distance of the target: a position predicts the token `horizon` places after it. With `"next"`
   * the last `horizon` positions of a block predict tokens of the following block, with `"inside"`
   * nothing.
   * @default {1}
   */
  readonly horizon?: number;
}

/** Settings of {@link LanguageModellingData.batches}. */
export interface BatchOptions {
  /** Blocks per batch (B). */
  readonly batchSize: number;
  /** Counts from 0; decides the order together with the seed. @default {0} */
  readonly epoch?: number;
  /** @default {0} */
  readonly seed?: number;
  /** False keeps the order of the text, for evaluation. @default {true} */
  readonly shuffle?: boolean;
  /** First step to give, to resume in the middle of an epoch. @default {0} */
  readonly startStep?: number;
  /**
   * What to do when the blocks do not fill the last batch: give it with rows that predict nothing,
   * or leave it out.
   * @default {"pad"}
   */
  readonly lastBatch?: "pad" | "drop";
}

/** One batch; arrays are [B, T] row by row. */
export interface LanguageModellingBatch {
  readonly inputs: Int32Array<ArrayBuffer>;
  /** The token `horizon` places after each input, or {@link IGNORED_TARGET}. */
  readonly targets: Int32Array<ArrayBuffer>;
  readonly batchSize: number;
  readonly blockLength: number;
  readonly epoch: number;
  readonly step: number;
  /** Targets that are not ignored. */
  readonly predictedTokens: number;
  /** UTF-8 bytes that the predicted tokens cover. */
  readonly predictedBytes: number;
}

/**
 * A token stream cut into blocks of T tokens; the tokens after the last whole block are dropped.
 *
 * The order of blocks is a pure function of (seed, epoch), so a run resumes at any (epoch, step)
 * with exactly the batches it would have had.
 */
export class LanguageModellingData {
  readonly blockLength: number;
  readonly horizon: number;
  readonly blockCount: number;
  readonly vocabSize: number;
  /** Predictions in one epoch. */
  readonly predictedTokens: number;
  /** UTF-8 bytes that these predictions cover: turns nats per epoch into bits per byte. */
  readonly predictedBytes: number;
  readonly #corpus: TokenizedCorpus;
  readonly #targets: "next" | "inside";

  constructor(corpus: TokenizedCorpus, options: LanguageModellingOptions) {
    const { blockLength, targets = "next", horizon = 1 } = options;
    checkPositive("blockLength", blockLength);
    checkPositive("horizon", horizon);
    this.#corpus = corpus;
    this.#targets = targets;
    this.blockLength = blockLength;
    this.horizon = horizon;
    this.blockCount = Math.floor(corpus.ids.length / blockLength);
    this.vocabSize = corpus.vocabSize;
    if (this.blockCount === 0) {
      throw new RangeError(
        `Cannot cut blocks: the text has ${corpus.ids.length} tokens, expected at least ` +
          `${blockLength}; use a shorter block or a longer text`,
      );
    }
    let tokens = 0;
    let bytes = 0;
    for (let block = 0; block < this.blockCount; block++) {
      const { first, end } = this.#predicted(block);
      tokens += end - first;
      for (let i = first; i < end; i++) bytes += corpus.byteLengths[i];
    }
    this.predictedTokens = tokens;
    this.predictedBytes = bytes;
  }

  /** Batches in one epoch. */
  stepsPerEpoch(batchSize: number, lastBatch: "pad" | "drop" = "pad"): number {
    checkPositive("batchSize", batchSize);
    const steps = this.blockCount / batchSize;
    return lastBatch === "pad" ? Math.ceil(steps) : Math.floor(steps);
  }

  /** The block at each place of an epoch's order. */
  blockOrder(epoch: number, seed: number): Int32Array {
    return shuffledIndices(this.blockCount, seed, epoch);
  }

  /** The batches of one epoch, from `startStep` on. */
  *batches(options: BatchOptions): Generator<LanguageModellingBatch, void, undefined> {
    const { batchSize, epoch = 0, seed = 0, shuffle = true, startStep = 0, lastBatch = "pad" } =
      options;
    if (!Number.isInteger(startStep) || startStep < 0) {
      throw new RangeError(
        `Cannot resume batches: startStep is ${startStep}, expected an integer of at least 0`,
      );
    }
    const order = shuffle ? this.blockOrder(epoch, seed) : undefined;
    const steps = this.stepsPerEpoch(batchSize, lastBatch);
    for (let step = startStep; step < steps; step++) {
      yield this.#batch(batchSize, epoch, step, (place) => order?.[place] ?? place);
    }
  }

  #batch(
    batchSize: number,
    epoch: number,
    step: number,
    blockAt: (place: number) => number,
  ): LanguageModellingBatch {
    const { blockLength } = this;
    const { ids, byteLengths, endOfText } = this.#corpus;
    const inputs = new Int32Array(batchSize * blockLength).fill(endOfText);
    const targets = new Int32Array(batchSize * blockLength).fill(IGNORED_TARGET);
    let predictedTokens = 0;
    let predictedBytes = 0;
    for (let row = 0; row < batchSize; row++) {
      const place = step * batchSize + row;
      if (place >= this.blockCount) break;
      const block = blockAt(place);
      const start = block * blockLength;
      const { first, end } = this.#predicted(block);
      inputs.set(ids.subarray(start, start + blockLength), row * blockLength);
      targets.set(ids.subarray(first, end), row * blockLength);
      predictedTokens += end - first;
      for (let i = first; i < end; i++) predictedBytes += byteLengths[i];
    }
    return {
      inputs,
      targets,
      batchSize,
      blockLength,
      epoch,
      step,
      predictedTokens,
      predictedBytes,
    };
  }

  /** Range of the stream that a block predicts. */
  #predicted(block: number): { first: number; end: number } {
    const start = block * this.blockLength;
    const first = start + this.horizon;
    const stop = start + this.blockLength + (this.#targets === "next" ? this.horizon : 0);
    // The last tokens of the stream may have nothing that far after them.
    return { first, end: Math.max(first, Math.min(stop, this.#corpus.ids.length)) };
  }
}

function checkPositive(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1) {
    throw new RangeError(`Cannot make batches: ${name} is ${value}, expected a positive integer`);
  }
}
