/**
 * Attention mechanisms, one folder each: a naive form in plain operations, a fused form with its own kernels, decoding, cost and a
 * README with the mathematics.
 *
 * @module
 */
export * from "./bigbird/mod.ts";
export * from "./leap/mod.ts";
export * from "./longformer/mod.ts";
export * from "./lsg/mod.ts";
export * from "./softmax/mod.ts";
