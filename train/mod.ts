/**
 * Training: AdamW, learning-rate schedules, the loop, safetensors and checkpoints that resume bit for bit.
 *
 * @module
 */
export * from "./adamw.ts";
export * from "./checkpoint.ts";
export * from "./loop.ts";
export * from "./safetensors.ts";
export * from "./schedule.ts";
