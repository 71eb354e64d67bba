import type { Parameter } from "../engine/mod.ts";
import type { Bert } from "./bert.ts";
import type { BertConfig } from "./bert_config.ts";
import { ConfigError } from "./model_error.ts";

/** One tensor of a published checkpoint. */
export interface PublishedTensor {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** What `loadBertWeights` found. */
export interface BertLoadReport {
  /** Key layout of the file. */
  readonly layout: "bert" | "distilbert";
  /** Parameters of the model that the file does not have; they keep their initial values. */
  readonly missing: string[];
  /** Keys of the file that the model has no place for. */
  readonly unused: string[];
}

/** Parts of the model that a checkpoint may lack: heads made for another task. */
const OPTIONAL = /^(?:pooler|classifier|masked)\b/;

/**
 * Configuration from a published config.json of BERT, MiniLM (`model_type` "bert") or DistilBERT.
 *
 * @throws {ConfigError} For another model type, or an option this encoder does not implement.
 */
export function bertConfigFromJson(json: unknown): BertConfig {
  const c = json as Record<string, unknown>;
  const number = (key: string, fallback?: number) => {
    const value = c[key] ?? fallback;
    if (typeof value !== "number") {
      throw new ConfigError(`Cannot read config.json: ${key} is ${value}, expected a number`);
    }
    return value;
  };
  const distil = c.model_type === "distilbert";
  if (!distil && c.model_type !== "bert") {
    throw new ConfigError(
      `Cannot read config.json: model_type is ${c.model_type}, expected bert or distilbert`,
    );
  }
  const activation = distil ? c.activation : c.hidden_act;
  const position = c.position_embedding_type ?? "absolute";
  if ((activation ?? "gelu") !== "gelu" || position !== "absolute") {
    throw new ConfigError(
      `Cannot read config.json: activation is ${activation} and positions are ${position}, expected gelu and absolute`,
    );
  }
  return distil
    ? {
      vocabSize: number("vocab_size"),
      positions: number("max_position_embeddings"),
      width: number("dim"),
      heads: number("n_heads"),
      layers: number("n_layers"),
      intermediate: number("hidden_dim"),
      dropout: number("dropout", 0.1),
      tokenTypes: 0,
      pooler: "relu",
    }
    : {
      vocabSize: number("vocab_size"),
      positions: number("max_position_embeddings"),
      width: number("hidden_size"),
      heads: number("num_attention_heads"),
      layers: number("num_hidden_layers"),
      intermediate: number("intermediate_size"),
      dropout: number("hidden_dropout_prob", 0.1),
      tokenTypes: number("type_vocab_size", 2),
      normEpsilon: number("layer_norm_eps", 1e-12),
    };
}

/**
 * Copies published weights into a model. Published matrices are [out, in] and turned; query, key and value are packed. Keys may carry a
 * `bert.` or `distilbert.` prefix and the older norm names gamma and beta.
 *
 * @param model Model of the sizes in the checkpoint's config.json.
 * @param tensors Tensors of the safetensors file.
 * @throws {ConfigError} If a tensor of the encoder is missing or has another shape. Heads may be missing.
 */
export function loadBertWeights(
  model: Bert,
  tensors: ReadonlyMap<string, PublishedTensor>,
): BertLoadReport {
  const files = new Map([...tensors].map(([key, t]) => [plainKey(key), { key, t }]));
  const layout = files.has("transformer.layer.0.attention.q_lin.weight") ? "distilbert" : "bert";
  const used = new Set<string>();
  const missing: string[] = [];
  for (const parameter of model.parameters) {
    const sources = publishedKeys(parameter.name, layout).map((key) => files.get(key));
    if (sources.some((source) => source === undefined)) {
      if (!OPTIONAL.test(parameter.name)) {
        throw new ConfigError(
          `Cannot load BERT weights: ${parameter.name} needs ${
            publishedKeys(parameter.name, layout).join(", ")
          }, which the file does not have`,
        );
      }
      missing.push(parameter.name);
      continue;
    }
    const parts = sources.map((source) => source!);
    parts.forEach(({ key }) => used.add(key));
    model.gpu.upload(parameter, assemble(parameter, parts.map(({ t }) => t)));
  }
  return { layout, missing, unused: [...tensors.keys()].filter((key) => !used.has(key)) };
}

function plainKey(key: string): string {
  return key.replace(/^(?:distil)?bert\./, "").replace(/\.gamma$/, ".weight").replace(
    /\.beta$/,
    ".bias",
  );
}

const BERT_PARTS: Record<string, readonly string[]> = {
  "attention.qkv": ["query", "key", "value"].map((n) => `attention.self.${n}`),
  "attention.output": ["attention.output.dense"],
  "attention.norm": ["attention.output.LayerNorm"],
  "mlp.in": ["intermediate.dense"],
  "mlp.out": ["output.dense"],
  "output.norm": ["output.LayerNorm"],
};

const DISTILBERT_PARTS: Record<string, readonly string[]> = {
  "attention.qkv": ["q", "k", "v"].map((n) => `attention.${n}_lin`),
  "attention.output": ["attention.out_lin"],
  "attention.norm": ["sa_layer_norm"],
  "mlp.in": ["ffn.lin1"],
  "mlp.out": ["ffn.lin2"],
  "output.norm": ["output_layer_norm"],
};

const OUTER: Record<string, { readonly bert: string; readonly distilbert: string }> = {
  "embeddings.tokens": same("embeddings.word_embeddings.weight"),
  "embeddings.positions": same("embeddings.position_embeddings.weight"),
  "embeddings.token_types": same("embeddings.token_type_embeddings.weight"),
  "embeddings.norm.weight": same("embeddings.LayerNorm.weight"),
  "embeddings.norm.bias": same("embeddings.LayerNorm.bias"),
  "pooler.weight": { bert: "pooler.dense.weight", distilbert: "pre_classifier.weight" },
  "pooler.bias": { bert: "pooler.dense.bias", distilbert: "pre_classifier.bias" },
  "classifier.weight": same("classifier.weight"),
  "classifier.bias": same("classifier.bias"),
  "masked.transform.weight": masked("transform.dense.weight", "transform.weight"),
  "masked.transform.bias": masked("transform.dense.bias", "transform.bias"),
  "masked.norm.weight": masked("transform.LayerNorm.weight", "layer_norm.weight"),
  "masked.norm.bias": masked("transform.LayerNorm.bias", "layer_norm.bias"),
  "masked.bias": masked("bias", "projector.bias"),
};

function same(key: string) {
  return { bert: key, distilbert: key };
}

function masked(bert: string, distilbert: string) {
  return { bert: `cls.predictions.${bert}`, distilbert: `vocab_${distilbert}` };
}

/** Keys, without prefix, that make up one of our parameters. */
function publishedKeys(name: string, layout: "bert" | "distilbert"): string[] {
  const inner = /^layer\.(\d+)\.(.+)\.(weight|bias)$/.exec(name);
  if (!inner) return [OUTER[name][layout]];
  const [, layer, part, kind] = inner;
  const [folder, parts] = layout === "bert"
    ? ["encoder.layer", BERT_PARTS]
    : ["transformer.layer", DISTILBERT_PARTS];
  return parts[part].map((key) => `${folder}.${layer}.${key}.${kind}`);
}

/** Turns [out, in] matrices and puts several side by side. Tables and vectors stay as they are. */
function assemble(parameter: Parameter, parts: readonly PublishedTensor[]): Float32Array {
  const isTable = parameter.name.startsWith("embeddings.");
  const [rows, columns] = parameter.shape;
  const turned = parameter.rank === 2 && !isTable;
  const expected = turned
    ? [columns / parts.length, rows]
    : parameter.rank === 1
    ? [rows / parts.length]
    : [...parameter.shape];
  for (const { shape } of parts) {
    if (shape.join() !== expected.join()) {
      throw new ConfigError(
        `Cannot load BERT weights: a tensor of ${parameter.name} is [${shape}], expected [${expected}]; ` +
          "build the model from the checkpoint's own config.json",
      );
    }
  }
  const values = new Float32Array(parameter.size);
  parts.forEach(({ data }, part) => {
    if (!turned) return values.set(Float32Array.from(data), part * data.length);
    const width = columns / parts.length;
    for (let out = 0; out < width; out++) {
      for (let i = 0; i < rows; i++) {
        values[i * columns + part * width + out] = data[out * rows + i];
      }
    }
  });
  return values;
}
