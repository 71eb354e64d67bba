import type { LanguageModellingBatch, LanguageModellingData } from "../data/mod.ts";

/** Batches of a training split without end: epoch after epoch, each in its own order. */
export class BatchStream {
  readonly stepsPerEpoch: number;
  #batches: Iterator<LanguageModellingBatch, void> | undefined;
  #next = -1;

  /**
   * @param data Blocks to draw from; the last, incomplete batch of an epoch is left out.
   * @param batchSize Blocks per batch.
   * @param seed Seed of the orders.
   */
  constructor(
    readonly data: LanguageModellingData,
    readonly batchSize: number,
    readonly seed: number,
  ) {
    this.stepsPerEpoch = data.stepsPerEpoch(batchSize, "drop");
    if (this.stepsPerEpoch === 0) {
      throw new RangeError(
        `Cannot draw batches: the split has ${data.blockCount} blocks, expected at least batchSize (${batchSize})`,
      );
    }
  }

  /** Batch number `index` of the run; cheapest when asked for in order. */
  at(index: number): LanguageModellingBatch {
    if (index !== this.#next || index % this.stepsPerEpoch === 0) {
      this.#batches = this.data.batches({
        batchSize: this.batchSize,
        epoch: Math.floor(index / this.stepsPerEpoch),
        seed: this.seed,
        startStep: index % this.stepsPerEpoch,
        lastBatch: "drop",
      });
    }
    this.#next = index + 1;
    return this.#batches!.next().value!;
  }
}
