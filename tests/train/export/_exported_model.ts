import { ByteTokenizer } from "../../../data/mod.ts";
import { Gpt2, type LanguageModel } from "../../../models/mod.ts";
import { describeModel, type ModelDescription, saveCheckpoint } from "../../../train/mod.ts";
import { gpu } from "../../_helpers/gpu.ts";

/** A GPT-2 over bytes whose sizes no tile divides, with weights far enough from 0 that logits differ clearly. */
export function tinyGpt2(): Gpt2 {
  const sizes = { vocabSize: 257, positions: 40, width: 24, heads: 3, layers: 2 };
  return new Gpt2(gpu, { ...sizes, initializerRange: 0.3 }, 5);
}

/** Description of a model over bytes. */
export function byteDescription(model: LanguageModel): ModelDescription & Record<string, unknown> {
  return describeModel(model, new ByteTokenizer()) as ModelDescription & Record<string, unknown>;
}

/** Checkpoint of a model over bytes, as a finished run leaves it. */
export async function byteCheckpoint(model: LanguageModel): Promise<Uint8Array<ArrayBuffer>> {
  return await saveCheckpoint(model.parameters, undefined, byteDescription(model));
}
