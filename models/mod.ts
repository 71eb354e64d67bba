/**
 * Models: typed configuration, parameters, forward pass, decoding and cost.
 *
 * @module
 */
export * from "./gpt2.ts";
export { gpt2Flops } from "./gpt2_cost.ts";
export * from "./language_model.ts";
export * from "./leap.ts";
export { leapModelFlops } from "./leap_cost.ts";
export { type LeapWindowOptions, leapWindows } from "./leap_windows.ts";
export { ConfigError } from "./model_error.ts";
