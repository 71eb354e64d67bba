import { LeapState } from "../attention/mod.ts";
import { add, embedding, matmul, reshape, slice, type Tensor } from "../engine/mod.ts";
import { tiedLogits } from "./layers/language_head.ts";
import { applyNorm } from "./layers/norm.ts";
import type { Leap } from "./leap.ts";
import type { Decoder } from "./language_model.ts";
import { requireLength } from "./model_error.ts";

/** LEAP one token at a time: state and time per token do not depend on the context. */
export class LeapDecoder implements Decoder {
  position = 0;
  readonly #states: readonly LeapState[];

  constructor(private readonly model: Leap, private readonly batch: number) {
    const { variant, width, heads, positions, rescale } = model.config;
    this.#states = model.blocks.map(({ window }) =>
      new LeapState(model.gpu, {
        variant,
        B: batch,
        H: heads,
        d: width / heads,
        window,
        rescale,
        contextLength: positions,
      })
    );
  }

  get stateBytes(): number {
    return this.#states.reduce((sum, state) => sum + state.stateSize(), 0);
  }

  step(ids: Tensor): Tensor {
    const { gpu, tokens, positionTable, blocks, finalNorm, vocabSize, config } = this.model;
    const { width, heads, positions } = config;
    requireLength(this.model.name, this.position + 1, positions);
    return gpu.scope(() =>
      gpu.withoutTape(() => {
        const row = slice(positionTable, [this.position, 0], [this.position + 1, width]);
        let x = add(embedding(tokens, reshape(ids, [this.batch, 1])), row);
        blocks.forEach((block, i) => {
          const projection = matmul(applyNorm(x, block.attentionNorm), block.projection, {
            transposeB: true,
          });
          const mixed = this.#states[i].step(
            reshape(projection, [this.batch, 1, 4, heads, width / heads]),
          );
          x = this.model.mlp(block, add(x, reshape(mixed, [this.batch, 1, width])), {});
        });
        this.position++;
        return reshape(tiedLogits(applyNorm(x, finalNorm), tokens), [this.batch, vocabSize]);
      })
    );
  }

  reset(): void {
    this.position = 0;
    for (const state of this.#states) state.reset();
  }

  dispose(): void {
    for (const state of this.#states) state.dispose();
  }
}
