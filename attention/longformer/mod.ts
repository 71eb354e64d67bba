/**
 * Longformer attention: a sliding window and globals (Beltagy et al. 2020), truly sparse and dense-masked. See README.md.
 *
 * @module
 */
export {
  fusedLongformerAttention,
  type FusedLongformerOptions,
  type LongformerAttentionOptions,
  naiveLongformerAttention,
} from "./attention.ts";
export { longformerFlops, type LongformerFlopsOptions } from "./flops.ts";
export { checkLongformerPattern, type LongformerPattern } from "./pattern.ts";
