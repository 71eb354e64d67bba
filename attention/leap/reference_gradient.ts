import {
  referenceHead,
  referenceKeep,
  type ReferenceLeap,
  referenceLeap,
  type ReferenceLeapInput,
  referenceNorm,
} from "./reference.ts";
import { DEFAULT_RESCALE, NORM_EPSILON, WEIGHT_SUM_EPSILON } from "./options.ts";

/**
 * Gradient of sum(upstream * output) with respect to the packed projection [B, T, 4, H, d], float64, by the chain rule over every
 * (query, token) pair: O(T w) work and none of the rearrangements of the kernels.
 */
export function referenceLeapGradient(
  input: ReferenceLeapInput,
  upstream: ArrayLike<number>,
): Float64Array {
  const { B, T, H, d, variant, dropout, window } = input;
  const forward = referenceLeap(input);
  const { e, z, focused, key, gateLogit } = forward;
  const hasKey = key !== undefined;
  const root = Math.sqrt(d);
  const gradient = new Float64Array(B * T * 4 * H * d);
  const de = new Float64Array(e.length);
  const dv = new Float64Array(focused.length);
  const dk = new Float64Array(focused.length);
  const heads = Array.from(e, (_, r) => referenceHead(input, r));
  for (let r = 0; r < e.length; r++) {
    const { q, at } = heads[r];
    const gate = 1 / (1 + Math.exp(-gateLogit[r]));
    let dgate = 0;
    for (let c = 0; c < d; c++) dgate += upstream[r * d + c] * focused[r * d + c];
    const slope = dgate * gate * (1 - gate) / root;
    const dFocused = new Float64Array(d);
    const dKey = new Float64Array(d);
    for (let c = 0; c < d; c++) {
      dFocused[c] = gate * upstream[r * d + c];
      if (hasKey) dKey[c] = slope * q[c];
      else dFocused[c] += slope * q[c];
      const keepQ = hasKey ? referenceKeep(dropout, at(0) + c) : 1;
      gradient[at(0) + c] = slope * (key ?? focused)[r * d + c] * keepQ;
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
    const { at } = heads[r];
    for (let c = 0; c < d; c++) {
      gradient[at(3) + c] = dv[r * d + c] * (hasKey ? referenceKeep(dropout, at(3) + c) : 1);
    }
    if (variant === "1.0") plainFocus(input, heads[r], e[r], de[r], dk, r, gradient);
    else normedFocus(input, heads[r], e[r] * de[r], gradient);
  }
  return gradient;
}

type Head = ReturnType<typeof referenceHead>;

/** The averages before dropout, from the definition. */
function quotient(
  { d, T, H, window }: ReferenceLeapInput,
  { e }: ReferenceLeap,
  heads: readonly Head[],
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

function plainFocus(
  { d, dropout }: ReferenceLeapInput,
  { at, f, k }: Head,
  e: number,
  de: number,
  dk: Float64Array,
  r: number,
  gradient: Float64Array,
): void {
  const slope = de * (e > 1 ? 1 : e) * referenceKeep(dropout, at(2)) / Math.sqrt(d);
  for (let c = 0; c < d; c++) {
    gradient[at(1) + c] = slope * k[c] * referenceKeep(dropout, at(1) + c);
    gradient[at(2) + c] = slope * f[c] + dk[r * d + c];
  }
}

function normedFocus(
  input: ReferenceLeapInput,
  { at, f, k }: Head,
  dlogit: number,
  gradient: Float64Array,
): void {
  const { packed, d, dropout, rescale = DEFAULT_RESCALE } = input;
  const slope = dlogit * rescale / d;
  for (
    const [slot, dy] of [
      [1, k.map((value, c) => slope * value * referenceKeep(dropout, at(1) + c))],
      [2, f.map((value) => slope * value)],
    ] as const
  ) {
    const x = Float64Array.from({ length: d }, (_, c) => packed[at(slot) + c]);
    const { y, std } = referenceNorm(x);
    const mean = dy.reduce((a, b) => a + b, 0) / d;
    const along = dy.reduce((a, b, c) => a + b * y[c], 0);
    const turn = std > 0 ? along * (std + NORM_EPSILON) / (std * (d - 1)) : 0;
    for (let c = 0; c < d; c++) {
      gradient[at(slot) + c] = (dy[c] - mean - y[c] * turn) / (std + NORM_EPSILON);
    }
  }
}
