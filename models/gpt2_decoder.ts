import { decodeAttention, KeyValueCache } from "../attention/mod.ts";
import { add, embedding, matmul, reshape, slice, type Tensor } from "../engine/mod.ts";
import type { Gpt2 } from "./gpt2.ts";
import { tiedLogits } from "./layers/language_head.ts";
import { applyNorm } from "./layers/norm.ts";
import { residualLinear } from "./layers/regularization.ts";
import type { Decoder } from "./language_model.ts";
import { requireLength } from "./model_error.ts";

/** GPT-2 one token at a time: keys and values of every past token are kept, so state and time per token grow with the context. */
export class Gpt2Decoder implements Decoder {
  position = 0;
  readonly #caches: readonly KeyValueCache[];

  /** Cache memory for the whole position table is taken at once. */
  constructor(private readonly model: Gpt2, private readonly batch: number) {
    const { width, heads, positions } = model.config;
    const shape = { B: batch, maxT: positions, H: heads, d: width / heads };
    this.#caches = model.blocks.map(() => new KeyValueCache(model.gpu, shape));
  }

  get stateBytes(): number {
    return 2 * 4 * this.batch * this.position * this.model.config.width * this.model.config.layers;
  }

  step(ids: Tensor): Tensor {
    const { gpu, tokens, positionTable, blocks, finalNorm, vocabSize, config } = this.model;
    requireLength(this.model.name, this.position + 1, config.positions);
    return gpu.scope(() =>
      gpu.withoutTape(() => {
        const row = slice(positionTable, [this.position, 0], [this.position + 1, config.width]);
        let x = add(embedding(tokens, reshape(ids, [this.batch, 1])), row);
        blocks.forEach((block, i) => {
          const { weight, bias } = block.qkv;
          const qkv = matmul(applyNorm(x, block.norm1), weight, { bias });
          this.#caches[i].append(qkv, this.position);
          x = residualLinear(x, decodeAttention(qkv, this.#caches[i]), block.projection, undefined);
          const inner = matmul(applyNorm(x, block.norm2), block.mlpIn.weight, {
            bias: block.mlpIn.bias,
            activation: "geluTanh",
          });
          x = residualLinear(x, inner, block.mlpOut, undefined);
        });
        this.position++;
        return reshape(tiedLogits(applyNorm(x, finalNorm), tokens), [this.batch, vocabSize]);
      })
    );
  }

  reset(): void {
    this.position = 0;
    for (const cache of this.#caches) cache.length = 0;
  }

  dispose(): void {
    for (const cache of this.#caches) cache.dispose();
  }
}
