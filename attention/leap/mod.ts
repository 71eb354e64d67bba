/**
 * LEAP, Linear Explainable Attention in Parallel (github.com/mtanghu/LEAP): additive attention with windowed sums.
 *
 * @module
 */
export { leapAttention } from "./fused.ts";
export type { LeapDropout, LeapOptions, LeapVariant } from "./options.ts";
