import { dropoutKeeps } from "../../engine/mod.ts";
import {
  type LeapDropout,
  type LeapFeatures,
  leapFeatures,
  type LeapVariant,
  MAX_WEIGHT,
  NORM_EPSILON,
  WEIGHT_SUM_EPSILON,
} from "./options.ts";

/** A call of LEAP with host data. */
export interface ReferenceLeapInput {
  /** [B, T, 4, H, d]. */
  readonly packed: ArrayLike<number>;
  readonly B: number;
  readonly T: number;
  readonly H: number;
  readonly d: number;
  readonly variant: LeapVariant;
  readonly window: number;
  /** As in `LeapOptions`. */
  readonly rescale?: number | null;
  /** [B, T]; zero marks padding. */
  readonly keyMask?: ArrayLike<number>;
  readonly dropout?: LeapDropout;
}

/** What `referenceLeap` returns, all float64. */
export interface ReferenceLeap {
  /** [B, T, H, d]. */
  readonly output: Float64Array;
  /** Focused values [B, T, H, d]: g of `2022-08` (after its dropout), V of the others. */
  readonly focused: Float64Array;
  /** Averaged keys [B, T, H, d], in the variants that have them. */
  readonly key: Float64Array | undefined;
  /** Token weights [B, T, H]. */
  readonly e: Float64Array;
  /** Sums of the weights of each window [B, T, H]. */
  readonly z: Float64Array;
  /** Logits of the gate [B, T, H]. */
  readonly gateLogit: Float64Array;
}

/** One head of one token, read from the packed projection. */
export interface ReferenceHead {
  /** First index of a slot in the packed projection. */
  readonly at: (slot: number) => number;
  /** The slots as the mechanism uses them: normed or not, with dropout. */
  readonly q: Float64Array;
  readonly f: Float64Array;
  readonly k: Float64Array;
  readonly v: Float64Array;
}

/** Dropout factor of one element of the packed projection. */
export function referenceKeep(dropout: LeapDropout | undefined, index: number): number {
  if (!dropout || dropout.p === 0) return 1;
  return dropoutKeeps(index, dropout) ? 1 / (1 - dropout.p) : 0;
}

/** (x - mean) / (std + epsilon), std with Bessel's correction. */
export function referenceNorm(x: Float64Array): { y: Float64Array; std: number } {
  const mean = x.reduce((a, b) => a + b, 0) / x.length;
  const std = Math.sqrt(x.reduce((a, b) => a + (b - mean) ** 2, 0) / (x.length - 1));
  return { y: x.map((value) => (value - mean) / (std + NORM_EPSILON)), std };
}

/** How a slot is prepared: normed, then dropped. */
export function referenceSlot(
  { normed, hasKey }: LeapFeatures,
  slot: number,
): { readonly normed: boolean; readonly dropped: boolean } {
  const focus = slot === 1 || slot === 2;
  return {
    normed: normed === "all" || (normed === "focus" && focus),
    dropped: hasKey ? slot !== 2 : slot === 1,
  };
}

/** Reads head `r` = (b T + t) H + h. */
export function referenceHead(
  { packed, H, d, dropout }: ReferenceLeapInput,
  features: LeapFeatures,
  r: number,
): ReferenceHead {
  const at = (slot: number) => ((Math.floor(r / H) * 4 + slot) * H + r % H) * d;
  const [q, f, k, v] = [0, 1, 2, 3].map((slot) => {
    const { normed, dropped } = referenceSlot(features, slot);
    const raw = Float64Array.from({ length: d }, (_, c) => packed[at(slot) + c]);
    const x = normed ? referenceNorm(raw).y : raw;
    return dropped ? x.map((value, c) => value * referenceKeep(dropout, at(slot) + c)) : x;
  });
  return { at, q, f, k, v };
}

/**
 * LEAP in float64 on the CPU by its definition: every window is summed directly (a global one as a running sum, which subtracts
 * nothing either), O(T w) work. Tests and the numerical audit compare with it.
 */
export function referenceLeap(input: ReferenceLeapInput): ReferenceLeap {
  const { B, T, H, d, dropout } = input;
  const features = leapFeatures(input);
  const { hasKey } = features;
  const window = Math.min(input.window, T);
  const size = B * T * H;
  const e = new Float64Array(size);
  const z = new Float64Array(size);
  const gateLogit = new Float64Array(size);
  const focused = new Float64Array(size * d);
  const key = hasKey ? new Float64Array(size * d) : undefined;
  const output = new Float64Array(size * d);
  const heads = Array.from({ length: size }, (_, r) => referenceHead(input, features, r));
  for (let r = 0; r < size; r++) e[r] = weightOf(input, features, heads[r], r);
  for (let b = 0; b < B; b++) {
    for (let h = 0; h < H; h++) {
      const sums = { z: 0, v: new Float64Array(d), k: new Float64Array(d) };
      for (let t = 0; t < T; t++) {
        let from = t;
        if (window < T) {
          from = Math.max(0, t - window + 1);
          sums.z = 0;
          sums.v.fill(0);
          sums.k.fill(0);
        }
        for (let i = from; i <= t; i++) {
          const j = (b * T + i) * H + h;
          const { v, k } = heads[j];
          sums.z += e[j];
          for (let c = 0; c < d; c++) sums.v[c] += e[j] * v[c];
          if (hasKey) { for (let c = 0; c < d; c++) sums.k[c] += e[j] * k[c]; }
        }
        const r = (b * T + t) * H + h;
        const { q, at } = heads[r];
        z[r] = sums.z;
        const inverse = hasKey ? 1 / (sums.z + WEIGHT_SUM_EPSILON) : sums.z > 0 ? 1 / sums.z : 0;
        let dot = 0;
        for (let c = 0; c < d; c++) {
          focused[r * d + c] = sums.v[c] * inverse *
            (hasKey ? 1 : referenceKeep(dropout, at(3) + c));
          if (key) key[r * d + c] = sums.k[c] * inverse;
          dot += q[c] * (key ?? focused)[r * d + c];
        }
        gateLogit[r] = dot * features.gateScale;
        const gate = 1 / (1 + Math.exp(-gateLogit[r]));
        for (let c = 0; c < d; c++) output[r * d + c] = gate * focused[r * d + c];
      }
    }
  }
  return { output, focused, key, e, z, gateLogit };
}

function weightOf(
  { d, H, keyMask, dropout }: ReferenceLeapInput,
  { weight, hasKey, logitScale }: LeapFeatures,
  { f, k, at }: ReferenceHead,
  r: number,
): number {
  if (keyMask && keyMask[Math.floor(r / H)] === 0) return 0;
  let dot = 0;
  for (let c = 0; c < d; c++) dot += f[c] * k[c];
  const logit = dot * logitScale * (hasKey ? referenceKeep(dropout, at(2)) : 1);
  switch (weight) {
    case "exp":
      return Math.exp(logit);
    case "capped exp":
      return Math.min(Math.exp(logit), MAX_WEIGHT);
    case "elu + 1":
      return logit > 0 ? logit + 1 : Math.exp(logit);
  }
}
