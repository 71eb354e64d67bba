import type { Bert } from "../bert.ts";
import { bertKeys, type BertLayout, bertLayout, plainBertKey } from "./bert_keys.ts";
import { loadPublished, type LoadReport, type PublishedTensor } from "./published_tensor.ts";

/** What `loadBertWeights` found. */
export interface BertLoadReport extends LoadReport {
  /** Key layout of the layers in the file; ELECTRA and the RoBERTa family have BERT's. */
  readonly layout: BertLayout;
}

/** Parts of the model that a checkpoint may lack: heads made for another task, and global tokens before a conversion. */
const OPTIONAL = /^(?:pooler|classifier|masked|span)\b|^embeddings\.globals$/;

/**
 * Copies published weights of any encoder that `bertConfigFromJson` reads into a model. Published matrices are [out, in] and turned; query,
 * key and value are packed. Keys may carry the prefix of their model (`bert.`, `roberta.`, ...) and the older norm names gamma and beta.
 *
 * @param model Model of the sizes in the checkpoint's config.json.
 * @param tensors Tensors of the safetensors file.
 * @throws {ConfigError} If a tensor of the encoder is missing or has another shape. Heads and global tokens may be missing.
 */
export function loadBertWeights(
  model: Bert,
  tensors: ReadonlyMap<string, PublishedTensor>,
): BertLoadReport {
  const layout = bertLayout(new Set([...tensors.keys()].map(plainBertKey)));
  const report = loadPublished(model.parameters, tensors, {
    what: "BERT",
    plainKey: plainBertKey,
    keysOf: (name) => bertKeys(name, layout),
    optional: (name) => OPTIONAL.test(name),
  });
  return { layout, ...report };
}
