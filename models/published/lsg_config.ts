import { SPARSITY_TYPES } from "../../attention/mod.ts";
import { GLOBAL_ROWS } from "../bert_config.ts";
import type { LsgEncoderAttention } from "../encoder_attention.ts";
import type { PublishedConfig } from "./read_config.ts";

/** True for the config.json of a checkpoint that was converted to local-sparse-global attention. */
export function isLsgConfig(config: PublishedConfig): boolean {
  const architectures = config.get("architectures");
  return config.get("base_model_prefix") === "lsg" ||
    Array.isArray(architectures) && architectures.some((name) => String(name).includes("LSG"));
}

/**
 * The attention of a converted checkpoint, with the defaults and silent corrections of the converter (ccdv-ai/convert_checkpoint_to_lsg): an
 * unknown sparsity type counts as none, the number of global tokens is brought into 1 to 512, and hiding the first token implies pooling.
 */
export function lsgAttentionFromConfig(config: PublishedConfig): LsgEncoderAttention {
  const type = config.get("sparsity_type");
  // Missing is the default; null is none.
  const sparsityType = type === undefined
    ? "norm"
    : SPARSITY_TYPES.find((name) => name === type) ?? "none";
  const maskFirstToken = config.boolean("mask_first_token", false);
  return {
    kind: "lsg",
    globals: Math.min(GLOBAL_ROWS, Math.max(1, config.number("num_global_tokens", 1))),
    blockSize: config.number("block_size", 128),
    sparseBlockSize: config.number("sparse_block_size", 128),
    sparsityFactor: config.number("sparsity_factor", 2),
    sparsityType,
    causal: config.boolean("is_decoder", false) && !config.boolean("is_encoder_decoder", false),
    maskFirstToken,
    adaptive: config.boolean("adaptive", true),
    lshPreRounds: config.number("lsh_num_pre_rounds", 1),
    poolWithGlobal: maskFirstToken || config.boolean("pool_with_global", true),
  };
}
