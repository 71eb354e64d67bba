/**
 * Training: AdamW, learning-rate schedules, the loop, safetensors and checkpoints that resume bit for bit.
 *
 * @module
 */
export * from "./adamw.ts";
export * from "./checkpoint.ts";
export * from "./convert/mod.ts";
export * from "./export/mod.ts";
export * from "./loop.ts";
export * from "./safetensors.ts";
export * from "./safetensors_error.ts";
export * from "./safetensors_layout.ts";
export * from "./schedule.ts";
export * from "./evaluate.ts";
export type { EvaluationOptions } from "./for_each_batch.ts";
export * from "./evaluate_positions.ts";
export * from "./grow_optimizer.ts";
export * from "./language_model_data.ts";
export * from "./train_in_stages.ts";
export * from "./train_language_model.ts";
