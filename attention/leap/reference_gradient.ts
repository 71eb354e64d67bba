import {
  type ReferenceHead,
  referenceHead,
  referenceKeep,
  type ReferenceLeap,
  referenceLeap,
  type ReferenceLeapInput,
  referenceNorm,
  referenceSlot,
} from "./reference.ts";
import {
  type LeapFeatures,
  leapFeatures,
  MAX_WEIGHT,
  NORM_EPSILON,
  WEIGHT_SUM_EPSILON,
} from "./options.ts";

/**
 * Gradient of sum(upstream * output) with respect to the packed projection [B, T, 4, H, d], float64, by the chain rule over every
 * (query, token) pair: O(T w) work and none of the rearrangements of the kernels.
 */
export function referenceLeapGradient(
  input: ReferenceLeapInput,
  upstream: ArrayLike<number>,
): Float64Array {
  const { B, T, H, d, dropout, window } = input;
  const features = leapFeatures(input);
  const forward = referenceLeap(input);
  const { e, z, focused, key, gateLogit } = forward;
  const hasKey = key !== undefined;
  const gradient = new Float64Array(B * T * 4 * H * d);
  const de = new Float64Array(e.length);
  const dv = new Float64Array(focused.length);
  const dk = new Float64Array(focused.length);
  const heads = Array.from(e, (_, r) => referenceHead(input, features, r));
  for (let r = 0; r < e.length; r++) {
    const { q, at } = heads[r];
    const gate = 1 / (1 + Math.exp(-gateLogit[r]));
    let dgate = 0;
    for (let c = 0; c < d; c++) dgate += upstream[r * d + c] * focused[r * d + c];
    const slope = dgate * gate * (1 - gate) * features.gateScale;
    const dFocused = new Float64Array(d);
    const dKey = new Float64Array(d);
    for (let c = 0; c < d; c++) {
      dFocused[c] = gate * upstream[r * d + c];
      if (hasKey) dKey[c] = slope * q[c];
      else dFocused[c] += slope * q[c];
      gradient[at(0) + c] = slope * (key ?? focused)[r * d + c];
      // From the dropped focused value back to the quotient.
      if (!hasKey) dFocused[c] *= referenceKeep(dropout, at(3) + c);
    }
    const denominator = hasKey ? z[r] + WEIGHT_SUM_EPSILON : z[r];
    if (denominator === 0) continue;
    const t = Math.floor(r / H) % T;
    const average = quotient(input, forward, heads, r, denominator);
    for (let i = Math.max(0, t - window + 1); i <= t; i++) {
      const j = r - (t - i) * H;
      for (let c = 0; c < d; c++) {
        dv[j * d + c] += dFocused[c] * e[j] / denominator;
        dk[j * d + c] += dKey[c] * e[j] / denominator;
        de[j] += (dFocused[c] * (heads[j].v[c] - average.v[c]) +
          dKey[c] * (heads[j].k[c] - average.k[c])) / denominator;
      }
    }
  }
  for (let r = 0; r < e.length; r++) {
    const { at, f, k } = heads[r];
    const slope = de[r] * weightDerivative(features, e[r]) * features.logitScale *
      (hasKey ? referenceKeep(dropout, at(2)) : 1);
    for (let c = 0; c < d; c++) {
      gradient[at(1) + c] = slope * k[c];
      gradient[at(2) + c] = slope * f[c] + dk[r * d + c];
      gradient[at(3) + c] = dv[r * d + c];
    }
    for (let slot = 0; slot < 4; slot++) backToPacked(input, features, at(slot), slot, gradient);
  }
  return gradient;
}

/** The averages before dropout, from the definition. */
function quotient(
  { d, T, H, window }: ReferenceLeapInput,
  { e }: ReferenceLeap,
  heads: readonly ReferenceHead[],
  r: number,
  denominator: number,
): { v: Float64Array; k: Float64Array } {
  const v = new Float64Array(d);
  const k = new Float64Array(d);
  const t = Math.floor(r / H) % T;
  for (let i = Math.max(0, t - window + 1); i <= t; i++) {
    const j = r - (t - i) * H;
    for (let c = 0; c < d; c++) {
      v[c] += e[j] * heads[j].v[c] / denominator;
      k[c] += e[j] * heads[j].k[c] / denominator;
    }
  }
  return { v, k };
}

/** Derivative of a weight e by its logit. */
function weightDerivative({ weight }: LeapFeatures, e: number): number {
  switch (weight) {
    case "exp":
      return e;
    case "capped exp":
      return e >= MAX_WEIGHT ? 0 : e;
    case "elu + 1":
      return e > 1 ? 1 : e;
  }
}

/** Back through dropout and norm of the slot at `at`, in place. */
function backToPacked(
  { packed, d, dropout }: ReferenceLeapInput,
  features: LeapFeatures,
  at: number,
  slot: number,
  gradient: Float64Array,
): void {
  const { normed, dropped } = referenceSlot(features, slot);
  const dy = gradient.subarray(at, at + d);
  if (dropped) dy.forEach((value, c) => dy[c] = value * referenceKeep(dropout, at + c));
  if (!normed) return;
  const { y, std } = referenceNorm(Float64Array.from({ length: d }, (_, c) => packed[at + c]));
  const mean = dy.reduce((a, b) => a + b, 0) / d;
  const along = dy.reduce((a, b, c) => a + b * y[c], 0);
  const turn = std > 0 ? along * (std + NORM_EPSILON) / (std * (d - 1)) : 0;
  for (let c = 0; c < d; c++) dy[c] = (dy[c] - mean - y[c] * turn) / (std + NORM_EPSILON);
}
