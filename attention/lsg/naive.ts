import type { Tensor } from "../../engine/mod.ts";
import { sparseOperands } from "../block_sparse/attention.ts";
import { denseMaskedAttention, denseOperands } from "../block_sparse/naive.ts";
import { naiveSlots } from "./naive_select.ts";
import { attendsFully, checkLsgLength, type LsgAttentionOptions } from "./options.ts";
import { globalQueries, lsgFullAttention } from "./short.ts";

/**
 * LSG attention in plain operations, with the whole masked matrix over positions and sparse keys and the selection as matrices: what
 * `fusedLsgAttention` is compared with. Gradients come from the tape. Dense-masked: its cost is quadratic.
 *
 * @param qkv As for `fusedLsgAttention`.
 * @returns As `fusedLsgAttention`.
 */
export function naiveLsgAttention(qkv: Tensor, options: LsgAttentionOptions): Tensor {
  const { heads, globals, blockSize, causal = false } = options;
  const { Tk, d } = sparseOperands(qkv, globals, heads);
  const T = Tk - globals;
  checkLsgLength(options, T);
  if (attendsFully(options, T)) return lsgFullAttention(qkv, options, "naive");
  const block = (t: number) => Math.floor(t / blockSize);
  const pattern = {
    globals,
    hideFirst: options.maskFirstToken,
    sees: (i: number, j: number) =>
      causal ? j <= i && block(i) - block(j) <= 1 : Math.abs(block(i) - block(j)) <= 1,
  };
  const scale = options.scale ?? 1 / Math.sqrt(d);
  const slots = naiveSlots(denseOperands(qkv, pattern, options), options, scale);
  const output = denseMaskedAttention(qkv, pattern, options, slots);
  return causal ? globalQueries(qkv, output, heads, globals) : output;
}
