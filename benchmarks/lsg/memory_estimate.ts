import type { LsgConfig } from "./config.ts";
import { parseVariant } from "./variants.ts";

/** Activations kept for backward, in multiples of the width per token and layer: projections, attention, MLP, norms, residuals. */
const ACTIVATIONS = 24;
/** Values, gradients and two moments of AdamW. */
const COPIES = 4;
/** Sizes of BERT base, for an encoder from the hub. */
const BASE = { vocabSize: 50265, width: 768, heads: 12, layers: 12 };

interface Sizes {
  readonly vocabSize: number;
  readonly width: number;
  readonly layers: number;
}

/**
 * Upper estimate of the peak GPU bytes: the timed step, the longest timed encoder, or training, whichever is largest. Models that are
 * timed together live together. Forms with T x T scores are left out: where they do not fit, their row fails alone.
 */
export function memoryEstimate({ step, scaling, encoder, quality }: LsgConfig): number {
  const own = encoder.source === "own" ? encoder : BASE;
  const needs = [
    step
      ? step.variants.length * weights(step, step.length) +
        activations(step, step.batchSize * step.length)
      : 0,
    ...(quality?.tasks ?? []).map(({ length, training }) =>
      weights(own, length) + activations(own, training.batchSize * length)
    ),
  ];
  if (scaling?.encoder) {
    for (const T of scaling.lengths) {
      const timed = scaling.encoder.variants.filter((name) =>
        parseVariant(name).family !== "full" || T <= scaling.fullLimit
      ).length;
      needs.push(timed * weights(scaling.encoder, T) + activations(scaling.encoder, T));
    }
  }
  return 4 * Math.max(...needs);
}

function weights({ vocabSize, width, layers }: Sizes, positions: number): number {
  return COPIES * (width * (vocabSize + positions + 512) + layers * 12 * width ** 2);
}

function activations({ width, layers }: Sizes, tokens: number): number {
  return ACTIVATIONS * tokens * width * layers;
}
