/** How a checkpoint names the layers of an encoder. */
export type BertLayout = "bert" | "distilbert" | "albert";

/** Folder of layer n and the keys in it by our names; query, key and value are packed in this order. */
interface LayerKeys {
  readonly folder: (layer: string) => string;
  readonly parts: Readonly<Record<string, readonly string[]>>;
}

const LAYERS: Readonly<Record<BertLayout, LayerKeys>> = {
  bert: {
    folder: (layer) => `encoder.layer.${layer}`,
    parts: {
      "attention.qkv": ["query", "key", "value"].map((n) => `attention.self.${n}`),
      "attention.output": ["attention.output.dense"],
      "attention.norm": ["attention.output.LayerNorm"],
      "mlp.in": ["intermediate.dense"],
      "mlp.out": ["output.dense"],
      "output.norm": ["output.LayerNorm"],
    },
  },
  distilbert: {
    folder: (layer) => `transformer.layer.${layer}`,
    parts: {
      "attention.qkv": ["q", "k", "v"].map((n) => `attention.${n}_lin`),
      "attention.output": ["attention.out_lin"],
      "attention.norm": ["sa_layer_norm"],
      "mlp.in": ["ffn.lin1"],
      "mlp.out": ["ffn.lin2"],
      "output.norm": ["output_layer_norm"],
    },
  },
  albert: {
    folder: (group) => `encoder.albert_layer_groups.${group}.albert_layers.0`,
    parts: {
      "attention.qkv": ["query", "key", "value"].map((n) => `attention.${n}`),
      "attention.output": ["attention.dense"],
      "attention.norm": ["attention.LayerNorm"],
      "mlp.in": ["ffn"],
      "mlp.out": ["ffn_output"],
      "output.norm": ["full_layer_layer_norm"],
    },
  },
};

/** Keys outside the layers; a file has one of the alternatives. */
const OUTER: Readonly<Record<string, readonly string[]>> = {
  "embeddings.tokens": ["embeddings.word_embeddings.weight"],
  "embeddings.positions": ["embeddings.position_embeddings.weight"],
  "embeddings.token_types": ["embeddings.token_type_embeddings.weight"],
  "embeddings.globals": ["embeddings.global_embeddings.weight"],
  ...affine("embeddings.norm", ["embeddings.LayerNorm"]),
  ...affine("embeddings.mapping", ["encoder.embedding_hidden_mapping_in", "embeddings_project"]),
  // RoBERTa and ELECTRA classify with a pooler inside the head, DistilBERT beside it.
  ...affine("pooler", ["classifier.dense", "pre_classifier", "pooler.dense", "pooler"]),
  ...affine("classifier", ["classifier.out_proj", "classifier"]),
  ...affine("span", ["qa_outputs"]),
  ...affine("masked.transform", [
    "cls.predictions.transform.dense",
    "predictions.dense",
    "generator_predictions.dense",
    "lm_head.dense",
    "vocab_transform",
  ]),
  ...affine("masked.norm", [
    "cls.predictions.transform.LayerNorm",
    "predictions.LayerNorm",
    "generator_predictions.LayerNorm",
    "lm_head.layer_norm",
    "vocab_layer_norm",
  ]),
  "masked.bias": [
    "cls.predictions.bias",
    "predictions.bias",
    "generator_lm_head.bias",
    "lm_head.bias",
    "vocab_projector.bias",
  ],
};

function affine(name: string, keys: readonly string[]): Record<string, string[]> {
  return Object.fromEntries(
    ["weight", "bias"].map((kind) => [`${name}.${kind}`, keys.map((key) => `${key}.${kind}`)]),
  );
}

/** A key without the prefix of its model, and with the newer names of a norm's values. */
export function plainBertKey(key: string): string {
  return key.replace(/^(?:distilbert|bert|albert|electra|roberta)\./, "")
    .replace(/\.gamma$/, ".weight").replace(/\.beta$/, ".bias");
}

/** The layout of a file with these plain keys. */
export function bertLayout(keys: ReadonlySet<string>): BertLayout {
  if (keys.has("transformer.layer.0.attention.q_lin.weight")) return "distilbert";
  return keys.has("encoder.albert_layer_groups.0.albert_layers.0.ffn.weight") ? "albert" : "bert";
}

/** Alternatives for one of our parameters, each a list of plain keys that are packed together. */
export function bertKeys(name: string, layout: BertLayout): readonly (readonly string[])[] {
  const inner = /^layer\.(\d+)\.(.+)\.(weight|bias)$/.exec(name);
  if (!inner) return OUTER[name].map((key) => [key]);
  const [, layer, part, kind] = inner;
  const { folder, parts } = LAYERS[layout];
  return [parts[part].map((key) => `${folder(layer)}.${key}.${kind}`)];
}
