/**
 * LEAP, Linear Explainable Attention in Parallel (github.com/mtanghu/LEAP): additive attention with windowed sums, as a fused form,
 * a naive form in plain operations, a recurrent form for decoding, and its importance scores. See README.md.
 *
 * @module
 */
export { LEAP_CHUNK_CHOICE } from "./chunks.ts";
export { type LeapFlops, leapFlops, type LeapFlopsOptions } from "./flops.ts";
export { fusedLeapAttention } from "./fused.ts";
export { leapImportance, type LeapImportanceOptions } from "./importance.ts";
export { naiveLeapAttention, type NaiveLeapOptions, type WindowSum } from "./naive.ts";
export { type LeapDropout, type LeapOptions, leapRescale, type LeapVariant } from "./options.ts";
export { LeapState, type LeapStateOptions, leapStateSize } from "./recurrent.ts";
export { type ReferenceLeap, referenceLeap, type ReferenceLeapInput } from "./reference.ts";
export { referenceLeapGradient } from "./reference_gradient.ts";
