import type { LeapVariant } from "./options.ts";

/** Sizes that decide the work of a call. */
export interface LeapFlopsOptions {
  readonly variant: LeapVariant;
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

/**
 * Arithmetic of the mechanism without its projection: a fixed number of operations per head and token, whatever the window. A
 * windowed layer adds every term twice (to a suffix and to a prefix) and the two once more; terms in d^0 are left out.
 */
export function leapFlops({ variant, B, T, H, d, window }: LeapFlopsOptions): LeapFlops {
  const sums = variant === "1.0" ? 2 : 1; // v, and k in 1.0
  // Weighting a vector and adding it: 2 d; once more for the suffix, and d to join suffix and prefix.
  const scan = (perTerm: number) => window < T ? 2 * perTerm + d : perTerm;
  const norm = 6 * d; // mean d, centring d, squares 2 d, scaling d, and one d for the product with it in the logit
  const logit = variant === "1.0" ? 2 * d : 2 * norm;
  // Division d per sum, dot product with q 2 d, gate d.
  const forward = logit + sums * scan(2 * d) + sums * d + 3 * d;
  // Gate: dy . y 2 d; 2022-08: g d, dg 3 d, P d, dq d; 1.0: dq d, P d.
  const gate = variant === "1.0" ? 4 * d : 8 * d;
  // Sum of the terms, then de 2 d and the gradient of v (k) d per sum.
  const back = sums * (scan(d) + 3 * d) + (variant === "1.0" ? d : 0);
  // 1.0: 3 d. 2022-08: both norms again (10 d), and per norm: dx d, mean d, product 2 d, result 4 d.
  const focus = variant === "1.0" ? 3 * d : 26 * d;
  return { forward: B * T * H * forward, backward: B * T * H * (gate + back + focus) };
}
