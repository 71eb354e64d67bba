import type { BartConfig } from "../bart_config.ts";
import { isLsgConfig, LSG_CONFIG_DEFAULTS, lsgAttentionFromConfig } from "./lsg_config.ts";
import { PublishedConfig } from "./read_config.ts";

/**
 * Configuration from a published config.json of BART, mBART (`model_type` of BARThez too) or Pegasus, or of one of these converted to
 * local-sparse-global attention.
 *
 * @throws {ConfigError} For another model type, or an option this model does not implement.
 */
export function bartConfigFromJson(json: unknown): BartConfig {
  const c = new PublishedConfig(json);
  const type = c.modelType(["bart", "mbart", "pegasus"]);
  const endId = c.number("eos_token_id", type === "pegasus" ? 1 : 2);
  return {
    vocabSize: c.number("vocab_size"),
    positions: c.number("max_position_embeddings"),
    width: c.number("d_model"),
    heads: c.number("encoder_attention_heads"),
    layers: c.number("encoder_layers"),
    intermediate: c.number("encoder_ffn_dim"),
    decoderHeads: c.number("decoder_attention_heads"),
    decoderLayers: c.number("decoder_layers"),
    decoderIntermediate: c.number("decoder_ffn_dim"),
    activation: c.activation("activation_function", ["gelu", "geluTanh", "relu"]),
    dropout: c.number("dropout", 0.1),
    attentionDropout: c.number("attention_dropout", 0),
    activationDropout: c.number("activation_dropout", 0),
    scaleEmbedding: c.boolean("scale_embedding", false),
    preNorm: type !== "bart",
    embeddingNorm: type !== "pegasus",
    positionTable: type === "pegasus" ? "sinusoidal" : "learned",
    padId: c.number("pad_token_id", type === "pegasus" ? 0 : 1),
    endId,
    startId: c.number("decoder_start_token_id", endId),
    ...(isLsgConfig(c)
      ? {
        attention: lsgAttentionFromConfig(c),
        passGlobals: c.boolean(
          "pass_global_tokens_to_decoder",
          LSG_CONFIG_DEFAULTS.pass_global_tokens_to_decoder,
        ),
      }
      : {}),
  };
}
