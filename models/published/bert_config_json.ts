import type { BertConfig } from "../bert_config.ts";
import { ConfigError } from "../model_error.ts";
import { isLsgConfig, lsgAttentionFromConfig } from "./lsg_config.ts";
import { PublishedConfig } from "./read_config.ts";

/** Values of `model_type` that `bertConfigFromJson` reads. */
const TYPES = [
  "bert",
  "albert",
  "electra",
  "roberta",
  "camembert",
  "xlm-roberta",
  "distilbert",
] as const;

/**
 * Configuration from a published config.json of BERT and MiniLM (`model_type` "bert"), ALBERT, ELECTRA, RoBERTa, CamemBERT, XLM-RoBERTa or
 * DistilBERT, or of one of these converted to local-sparse-global attention.
 *
 * @throws {ConfigError} For another model type, or an option this encoder does not implement.
 */
export function bertConfigFromJson(json: unknown): BertConfig {
  const c = new PublishedConfig(json);
  const type = c.modelType(TYPES);
  const position = c.get("position_embedding_type") ?? "absolute";
  if (position !== "absolute") {
    throw new ConfigError(
      `Cannot read config.json: positions are ${position}, expected absolute`,
    );
  }
  const attention = isLsgConfig(c) ? { attention: lsgAttentionFromConfig(c) } : {};
  return { ...(type === "distilbert" ? distilbert(c) : family(c, type)), ...attention };
}

function distilbert(c: PublishedConfig): BertConfig {
  return {
    vocabSize: c.number("vocab_size"),
    positions: c.number("max_position_embeddings"),
    width: c.number("dim"),
    heads: c.number("n_heads"),
    layers: c.number("n_layers"),
    intermediate: c.number("hidden_dim"),
    activation: c.activation("activation", ["gelu", "geluTanh", "relu"]),
    dropout: c.number("dropout", 0.1),
    attentionDropout: c.number("attention_dropout", 0.1),
    tokenTypes: 0,
    pooler: "relu",
  };
}

function family(c: PublishedConfig, type: Exclude<typeof TYPES[number], "distilbert">): BertConfig {
  // ALBERT's own default is 0.
  const rest = type === "albert" ? 0 : 0.1;
  return {
    vocabSize: c.number("vocab_size"),
    positions: c.number("max_position_embeddings"),
    width: c.number("hidden_size"),
    heads: c.number("num_attention_heads"),
    layers: c.number("num_hidden_layers"),
    intermediate: c.number("intermediate_size"),
    // The masked heads of the others than BERT and ALBERT have the exact GELU whatever the layers have.
    activation: type === "bert" || type === "albert"
      ? c.activation("hidden_act", ["gelu", "geluTanh", "relu"])
      : c.activation("hidden_act", ["gelu"]),
    dropout: c.number("hidden_dropout_prob", rest),
    attentionDropout: c.number("attention_probs_dropout_prob", rest),
    tokenTypes: c.number("type_vocab_size", 2),
    normEpsilon: c.number("layer_norm_eps", 1e-12),
    ...special(c, type),
  };
}

/** What only one family has. */
function special(c: PublishedConfig, type: typeof TYPES[number]): Partial<BertConfig> {
  switch (type) {
    case "albert": {
      const inner = c.number("inner_group_num", 1);
      if (inner !== 1) {
        throw new ConfigError(
          `Cannot read config.json: inner_group_num is ${inner}, expected 1`,
        );
      }
      return {
        embeddingWidth: c.number("embedding_size", 128),
        embeddingMapping: true,
        layerGroups: c.number("num_hidden_groups", 1),
      };
    }
    case "electra":
      return { embeddingWidth: c.number("embedding_size", 128), pooler: "gelu" };
    case "roberta":
    case "camembert":
    case "xlm-roberta":
      return { positionIds: { padId: c.number("pad_token_id", 1) } };
    default:
      return {};
  }
}
