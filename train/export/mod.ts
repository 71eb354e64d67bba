/**
 * Trained models in the formats of others: the Hugging Face folder layout and ONNX.
 *
 * @module
 */
export {
  describeModel,
  type ModelDescription,
  type TokenizerDescription,
} from "./exported_model.ts";
export { gpt2Onnx } from "./gpt2_onnx.ts";
export {
  type HuggingFaceFolder,
  huggingFaceFolder,
  LEAP_MODEL_TYPE,
} from "./hugging_face_folder.ts";
export { leapOnnx } from "./leap_onnx.ts";
export type { WeightMap } from "./layers_onnx.ts";
export {
  encodeOnnx,
  type OnnxAttribute,
  type OnnxConstant,
  OnnxGraph,
  type OnnxNode,
  type OnnxType,
  type OnnxValue,
} from "./onnx_graph.ts";
