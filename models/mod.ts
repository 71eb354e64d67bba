/**
 * Models: typed configuration, parameters, forward pass, decoding and cost.
 *
 * @module
 */
export * from "./attention_scores.ts";
export * from "./bart.ts";
export type { BartConfig } from "./bart_config.ts";
export { bartFlops } from "./bart_cost.ts";
export * from "./bert.ts";
export type { BertConfig } from "./bert_config.ts";
export { bertFlops } from "./bert_cost.ts";
export { type ActivationBytesOptions, bertActivationBytes } from "./bert_memory.ts";
export * from "./conv_attention.ts";
export { convAttentionFlops } from "./conv_attention_cost.ts";
export {
  type BigBirdEncoderAttention,
  type EncoderAttention,
  type LongformerEncoderAttention,
  type LsgEncoderAttention,
  type SparseEncoderAttention,
} from "./encoder_attention.ts";
export * from "./generate_text.ts";
export * from "./gpt2.ts";
export { gpt2Flops } from "./gpt2_cost.ts";
export * from "./language_model.ts";
export { sinusoidalPositions } from "./layers/bart_embeddings.ts";
export type { Gpt2Block } from "./layers/gpt2_block.ts";
export type { SpanLogits } from "./layers/span_head.ts";
export { type LoraBranch, type LoraConfig, mergeLora } from "./layers/lora.ts";
export * from "./leap.ts";
export { leapModelFlops } from "./leap_cost.ts";
export { type LeapWindowOptions, leapWindows } from "./leap_windows.ts";
export { ConfigError } from "./model_error.ts";
export { PrefixDecoder } from "./prefix_decoder.ts";
export * from "./progressive_diverging.ts";
export { bartConfigFromJson } from "./published/bart_config_json.ts";
export { loadBartWeights } from "./published/bart_weights.ts";
export { bertConfigFromJson } from "./published/bert_config_json.ts";
export * from "./published/bert_weights.ts";
export {
  isLsgConfig,
  LSG_CONFIG_DEFAULTS,
  lsgAttentionFromConfig,
} from "./published/lsg_config.ts";
export type { LoadReport, PublishedTensor } from "./published/published_tensor.ts";
export { PublishedConfig } from "./published/read_config.ts";
export { transformerTuningSizes, type TuningSizes } from "./tuning_sizes.ts";
