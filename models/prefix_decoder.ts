import { concat, reshape, slice, type Tensor } from "../engine/mod.ts";
import type { Decoder, LanguageModel } from "./language_model.ts";
import { requireLength } from "./model_error.ts";

/** Decoding for models without a state of their own: every step runs the whole prefix again, so time per token grows with it. */
export class PrefixDecoder implements Decoder {
  #prefix: Tensor | undefined;

  constructor(private readonly model: LanguageModel, private readonly batch: number) {}

  get position(): number {
    return this.#prefix?.dim(1) ?? 0;
  }

  /** Bytes of the ids kept, per batch. */
  get stateBytes(): number {
    return this.#prefix?.byteLength ?? 0;
  }

  step(ids: Tensor): Tensor {
    const { model, batch } = this;
    requireLength(model.name, this.position + 1, model.positions);
    return model.gpu.scope(() =>
      model.gpu.withoutTape(() => {
        const column = reshape(ids, [batch, 1]);
        // Joined with nothing it would be a view of the caller's tensor.
        const longer = concat(this.#prefix ? [this.#prefix, column] : [column], 1).keep();
        this.#prefix?.dispose();
        this.#prefix = longer;
        const last = this.position - 1;
        const logits = model.logits(longer);
        return reshape(
          slice(logits, [0, last, 0], [batch, last + 1, model.vocabSize]),
          [batch, model.vocabSize],
        );
      })
    );
  }

  reset(): void {
    this.#prefix?.dispose();
    this.#prefix = undefined;
  }

  dispose(): void {
    this.reset();
  }
}
