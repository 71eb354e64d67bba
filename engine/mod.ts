/**
 * The engine: tensors on WebGPU, reverse-mode automatic differentiation, exact memory accounting and GPU time. It knows nothing of
 * attention, models or files.
 *
 * @module
 */
export * from "./adapter_info.ts";
export * from "./clock.ts";
export * from "./errors.ts";
export * from "./gpu.ts";
export * from "./kernel.ts";
export type { MemoryTag, TagBytes } from "./memory.ts";
export * from "./parameter.ts";
export * from "./parameter_set.ts";
export * from "./random.ts";
export { RANDOM_WGSL } from "./kernels/random_wgsl.ts";
export { Tape } from "./tape.ts";
export * from "./tensor.ts";
export { addInto } from "./ops/accumulate.ts";
export * from "./ops/activation.ts";
export { matmul, type MatmulOptions } from "./ops/matmul.ts";
export { embedding } from "./ops/embedding.ts";
export { gather, scatterAddRows, takeRows } from "./ops/gather.ts";
export { crossEntropy } from "./ops/cross_entropy.ts";
export { linearCrossEntropy, type LinearCrossEntropyOptions } from "./ops/linear_cross_entropy.ts";
export type { CrossEntropyOptions } from "./ops/target_loss.ts";
export * from "./ops/conv1d.ts";
export { groupMask } from "./ops/group_mask.ts";
export { cumsum, type CumsumOptions } from "./ops/cumsum.ts";
export { broadcastShape } from "./broadcast.ts";
export * from "./ops/binary.ts";
export { dropout, dropoutKeeps, type DropoutOptions } from "./ops/dropout.ts";
export { layerNorm, type NormOptions, rmsNorm } from "./ops/norm.ts";
export * from "./ops/reduce.ts";
export type { ReduceOptions } from "./ops/reduce_axes.ts";
export { detach, reshape } from "./ops/reshape.ts";
export { ROW_VARIANT_CHOICE } from "./ops/row_variant.ts";
export { logSoftmax, softmax, type SoftmaxOptions } from "./ops/softmax.ts";
export { sumTo } from "./ops/sum_to.ts";
export * from "./ops/unary.ts";
export { where } from "./ops/where.ts";
export { concat } from "./ops/concat.ts";
export { flip } from "./ops/flip.ts";
export { pad } from "./ops/pad.ts";
export { paddedPositions } from "./ops/padded_positions.ts";
export { permute, transpose } from "./ops/permute.ts";
export { slice } from "./ops/slice.ts";
export * from "./autotune/mod.ts";
export { matmulProblem, type MatmulSize, matmulTunable } from "./ops/gemm.ts";
