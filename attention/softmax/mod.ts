/**
 * Scaled dot-product (softmax) attention: the fused form with memory linear in T, the naive form in plain operations, decoding with
 * a key-value cache, and its arithmetic.
 *
 * @module
 */
export {
  type AttentionDropout,
  type AttentionOptions,
  fusedAttention,
  type FusedAttentionOptions,
} from "./fused.ts";
export { type AttentionFlops, attentionFlops, type AttentionFlopsOptions } from "./flops.ts";
export type { AttentionInput, SeparateInput } from "./operands.ts";
export {
  type AttentionCandidate,
  type AttentionSize,
  attentionSizeProblem,
  attentionTunable,
  candidateVariants,
} from "./tuning.ts";
export { type AttentionVariant, variantName } from "./variants.ts";
export { decodeAttention, type DecodeOptions, KeyValueCache } from "./decode.ts";
export type { CacheShape } from "./kernels_decode.ts";
export {
  attentionProbabilities,
  naiveAttention,
  naiveAttentionWithProbabilities,
} from "./naive.ts";
export {
  ATTENTION_SCORINGS,
  type AttentionScoreOptions,
  type AttentionScoring,
  type AttentionWithScores,
  fusedAttentionWithScores,
  naiveAttentionWithScores,
} from "./scores.ts";
