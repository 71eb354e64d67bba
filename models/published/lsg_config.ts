import { MAX_GLOBALS, SPARSITY_TYPES } from "../../attention/lsg/mod.ts";
import type { LsgEncoderAttention } from "../encoder_attention.ts";
import type { PublishedConfig } from "./read_config.ts";

/** Defaults of the fields of LSG in a published config.json, those of the converter. */
export const LSG_CONFIG_DEFAULTS = {
  adaptive: true,
  base_model_prefix: "lsg",
  block_size: 128,
  lsh_num_pre_rounds: 1,
  mask_first_token: false,
  num_global_tokens: 1,
  pass_global_tokens_to_decoder: true,
  pool_with_global: true,
  sparse_block_size: 128,
  sparsity_factor: 2,
  sparsity_type: "norm",
} as const;

/** True for the config.json of a checkpoint that was converted to local-sparse-global attention, as the converter tells it. */
export function isLsgConfig(config: Pick<PublishedConfig, "get">): boolean {
  const architectures = config.get("architectures");
  const first: unknown = Array.isArray(architectures) ? architectures[0] : architectures;
  return config.get("base_model_prefix") === LSG_CONFIG_DEFAULTS.base_model_prefix ||
    typeof first === "string" && first.includes("LSG");
}

/**
 * The attention of a converted checkpoint, with the defaults and silent corrections of the converter (ccdv-ai/convert_checkpoint_to_lsg): an
 * unknown sparsity type counts as none, the number of global tokens is brought into 1 to 512, and hiding the first token implies pooling.
 * `lsh_seed` is a field of ours: the converter's models hash by unseeded random numbers.
 */
export function lsgAttentionFromConfig(config: PublishedConfig): LsgEncoderAttention {
  const type = config.get("sparsity_type");
  // Missing is the default; null is none.
  const sparsityType = type === undefined
    ? LSG_CONFIG_DEFAULTS.sparsity_type
    : SPARSITY_TYPES.find((name) => name === type) ?? "none";
  const number = (key: NumberField) => config.number(key, LSG_CONFIG_DEFAULTS[key]);
  const boolean = (key: BooleanField) => config.boolean(key, LSG_CONFIG_DEFAULTS[key]);
  const maskFirstToken = boolean("mask_first_token");
  return {
    kind: "lsg",
    globals: Math.min(MAX_GLOBALS, Math.max(1, number("num_global_tokens"))),
    blockSize: number("block_size"),
    sparseBlockSize: number("sparse_block_size"),
    sparsityFactor: number("sparsity_factor"),
    sparsityType,
    causal: config.boolean("is_decoder", false) && !config.boolean("is_encoder_decoder", false),
    maskFirstToken,
    adaptive: boolean("adaptive"),
    lshPreRounds: number("lsh_num_pre_rounds"),
    lshSeed: config.number("lsh_seed", 0),
    poolWithGlobal: maskFirstToken || boolean("pool_with_global"),
  };
}

type NumberField =
  | "block_size"
  | "lsh_num_pre_rounds"
  | "num_global_tokens"
  | "sparse_block_size"
  | "sparsity_factor";
type BooleanField = "adaptive" | "mask_first_token" | "pool_with_global";
