import type { Bart } from "../bart.ts";
import { loadPublished, type LoadReport, type PublishedTensor } from "./published_tensor.ts";

/** Keys outside the layers; a file has one of the alternatives. */
const OUTER: Readonly<Record<string, readonly string[]>> = {
  "embeddings.tokens": ["shared.weight", "encoder.embed_tokens.weight", "lm_head.weight"],
  "embeddings.encoder_positions": ["encoder.embed_positions.weight"],
  "embeddings.decoder_positions": ["decoder.embed_positions.weight"],
  "embeddings.globals": ["encoder.global_embeddings.weight"],
  "head.bias": ["final_logits_bias"],
};

/** Published names of the parts of encoder and decoder by ours; query, key and value are packed in this order. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  "embedding_norm": ["layernorm_embedding"],
  "norm": ["layer_norm"],
  "attention.qkv": ["q_proj", "k_proj", "v_proj"].map((n) => `self_attn.${n}`),
  "attention.output": ["self_attn.out_proj"],
  "attention.norm": ["self_attn_layer_norm"],
  "cross.query": ["encoder_attn.q_proj"],
  "cross.key": ["encoder_attn.k_proj"],
  "cross.value": ["encoder_attn.v_proj"],
  "cross.output": ["encoder_attn.out_proj"],
  "cross.norm": ["encoder_attn_layer_norm"],
  "mlp.in": ["fc1"],
  "mlp.out": ["fc2"],
  "output.norm": ["final_layer_norm"],
};

/**
 * Copies published weights of BART, mBART, BARThez or Pegasus into a model. Keys may carry the prefix `model.`.
 *
 * @param model Model of the sizes in the checkpoint's config.json.
 * @param tensors Tensors of the safetensors file.
 * @throws {ConfigError} If a tensor is missing or has another shape. Global tokens, the offset of the logits and sinusoidal positions may be
 *   missing.
 */
export function loadBartWeights(
  model: Bart,
  tensors: ReadonlyMap<string, PublishedTensor>,
): LoadReport {
  const sinusoidal = model.config.positionTable === "sinusoidal";
  return loadPublished(model.parameters, tensors, {
    what: "BART",
    plainKey: (key) => key.replace(/^model\./, ""),
    keysOf: bartKeys,
    optional: (name) =>
      name === "embeddings.globals" || name === "head.bias" ||
      sinusoidal && name.endsWith("_positions"),
  });
}

/** Alternatives for one of our parameters, each a list of keys without prefix that are packed together. */
function bartKeys(name: string): readonly (readonly string[])[] {
  if (OUTER[name]) return OUTER[name].map((key) => [key]);
  const [, side, layer, part, kind] = /^(encoder|decoder)\.(?:layer\.(\d+)\.)?(.+)\.(weight|bias)$/
    .exec(name)!;
  const folder = layer === undefined ? side : `${side}.layers.${layer}`;
  return [PARTS[part].map((key) => `${folder}.${key}.${kind}`)];
}
