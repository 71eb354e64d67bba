import type { Gpt2Config, LeapConfig } from "../../models/mod.ts";
import { checkpointWeights, readCheckpoint } from "../checkpoint.ts";
import { writeSafetensors } from "../safetensors.ts";
import { type ModelDescription, readModelDescription } from "./exported_model.ts";
import { gpt2Onnx } from "./gpt2_onnx.ts";
import type { WeightMap } from "./layers_onnx.ts";
import { leapOnnx } from "./leap_onnx.ts";
import { encodeOnnx } from "./onnx_graph.ts";
import { tokenizerFiles } from "./tokenizer_files.ts";
import { gpt2Shapes, leapShapes, requireWeights } from "./weight_shapes.ts";

/** Files of a folder in the layout of the Hugging Face hub. */
export interface HuggingFaceFolder {
  /** Contents by path inside the folder. */
  readonly files: ReadonlyMap<string, Uint8Array | string>;
  /** What could not be written, one sentence each. */
  readonly notes: readonly string[];
}

/** `model_type` of models that no library but this suite knows. */
export const LEAP_MODEL_TYPE = "attention-bench-leap";

/** Who wrote the ONNX file. */
const PRODUCER = "attention-bench";

/**
 * Makes the files that loaders of the Hugging Face layout look for: config.json, generation_config.json, model.safetensors,
 * tokenizer.json, tokenizer_config.json and onnx/model.onnx.
 *
 * @param checkpoint A checkpoint that says which model it holds, see `describeModel`.
 * @param name What to call it in errors.
 * @throws {SafetensorsError} If it is no such checkpoint, damaged, or its weights do not fit its configuration.
 */
export async function huggingFaceFolder(
  checkpoint: Uint8Array,
  name: string,
): Promise<HuggingFaceFolder> {
  const file = await readCheckpoint(checkpoint, name);
  const { model, tokenizer } = readModelDescription(file.extra, name);
  const weights = checkpointWeights(file);
  const { config, graph } = modelFiles(model, weights, name);
  const ends = { bos_token_id: tokenizer.endOfText, eos_token_id: tokenizer.endOfText };
  const files = new Map<string, Uint8Array | string>();
  const json = (path: string, value: object) =>
    files.set(path, JSON.stringify(value, null, 2) + "\n");
  json("config.json", { ...config, ...ends });
  json("generation_config.json", { ...ends, do_sample: false });
  // The format field is what Python's loader asks for.
  files.set("model.safetensors", writeSafetensors(weights, { format: "pt" }));
  const notes: string[] = [];
  const texts = await tokenizerFiles(tokenizer, model.config.positions);
  for (const [path, value] of Object.entries(texts ?? {})) json(path, value);
  if (!texts) {
    notes.push(
      `No tokenizer.json: tokenizer ${tokenizer.name} has no form in that format; give the model ids.`,
    );
  }
  files.set("onnx/model.onnx", await encodeOnnx(graph, PRODUCER));
  return { files, notes };
}

function modelFiles(model: ModelDescription["model"], weights: WeightMap, name: string) {
  if (model.kind === "gpt2") {
    requireWeights(weights, gpt2Shapes(model.config), name);
    return { config: gpt2Config(model.config), graph: gpt2Onnx(model.config, weights) };
  }
  requireWeights(weights, leapShapes(model.config), name);
  return { config: leapConfig(model.config), graph: leapOnnx(model.config, weights) };
}

/** The fields of published GPT-2 configurations. */
function gpt2Config(config: Gpt2Config): Record<string, unknown> {
  const { vocabSize, positions, width, heads, layers, dropout = 0, initializerRange } = config;
  return {
    architectures: ["GPT2LMHeadModel"],
    model_type: "gpt2",
    vocab_size: vocabSize,
    n_positions: positions,
    n_ctx: positions,
    n_embd: width,
    n_head: heads,
    n_layer: layers,
    n_inner: null,
    activation_function: "gelu_new",
    attn_pdrop: dropout,
    embd_pdrop: dropout,
    resid_pdrop: dropout,
    layer_norm_epsilon: 1e-5,
    initializer_range: initializerRange,
    scale_attn_weights: true,
    tie_word_embeddings: true,
    use_cache: true,
    torch_dtype: "float32",
  };
}

function leapConfig(config: LeapConfig): Record<string, unknown> {
  return {
    model_type: LEAP_MODEL_TYPE,
    variant: config.variant,
    vocab_size: config.vocabSize,
    n_positions: config.positions,
    n_embd: config.width,
    n_head: config.heads,
    n_layer: config.layers,
    windows: config.windows,
    rescale: config.rescale ?? null,
    dropout: config.dropout ?? 0,
    layer_norm_epsilon: 1e-5,
    initializer_range: config.initializerRange,
    torch_dtype: "float32",
  };
}
