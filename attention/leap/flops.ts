import { leapFeatures, type LeapVariant } from "./options.ts";

/** Sizes that decide the work of a call. */
export interface LeapFlopsOptions {
  readonly variant: LeapVariant;
  /** As in `LeapOptions`. */
  readonly rescale?: number | null;
  readonly B: number;
  readonly T: number;
  readonly H: number;
  readonly d: number;
  readonly window: number;
}

/** Floating-point operations of one call; a multiply-add counts as two, exp, sqrt and division as one. */
export interface LeapFlops {
  readonly forward: number;
  readonly backward: number;
}

/** Heads of a token that are normed. */
const NORMED_HEADS = { none: 0, focus: 2, all: 4 } as const;

/**
 * Arithmetic of the mechanism without its projection: a fixed number of operations per head and token, whatever the window. A
 * windowed layer adds every term twice (to a suffix and to a prefix) and the two once more; terms in d^0 are left out.
 */
export function leapFlops(options: LeapFlopsOptions): LeapFlops {
  const { B, T, H, d, window } = options;
  const { hasKey, normed } = leapFeatures(options);
  const sums = hasKey ? 2 : 1; // v, and k
  // Weighting a vector and adding it: 2 d; once more for the suffix, and d to join suffix and prefix.
  const scan = (perTerm: number) => window < T ? 2 * perTerm + d : perTerm;
  const norms = NORMED_HEADS[normed] * 5 * d; // mean d, centring d, squares 2 d, scaling d
  // Norms, product of the focus vectors 2 d, division d per sum, dot product with q 2 d, gate d.
  const forward = norms + 2 * d + sums * scan(2 * d) + sums * d + 3 * d;
  // Gate: dy . y 2 d; with a key: dq d, P d; without: g d, dg 3 d, P d, dq d.
  const gate = hasKey ? 4 * d : 8 * d;
  // Sum of the terms, then de 2 d and the gradient of v (k) d per sum; joining the two gradients of k d.
  const back = sums * (scan(d) + 3 * d) + (hasKey ? d : 0);
  // Gradients of the focus vectors d each, and d for the dropped one where the norm does not take it along.
  const focus = normed === "focus" ? 2 * d : 3 * d;
  // All slots are normed again for the gradients; then every norm once more, with mean d, product 2 d and result 4 d.
  const normsBack = (normed === "all" ? 2 : 1) * norms + NORMED_HEADS[normed] * 7 * d;
  return { forward: B * T * H * forward, backward: B * T * H * (gate + back + focus + normsBack) };
}
