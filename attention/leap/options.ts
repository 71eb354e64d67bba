import { type Gpu, ShapeError, showShape, type Tensor } from "../../engine/mod.ts";

/** Revision of LEAP: the one of August 2022 (normed focus logits, exp) or release 1.0 (elu + 1, a key in the gate). */
export type LeapVariant = "2022-08" | "1.0";

/** Dropout of one call. The same numbers always draw the same mask, also in `backward`, so no mask is stored. */
export interface LeapDropout {
  /** Probability of zeroing an element, in [0, 1). */
  readonly p: number;
  readonly seed: number;
  /** Number that no other random draw of the same step uses. */
  readonly stream: number;
}

/** Options shared by every form of LEAP. */
export interface LeapOptions {
  readonly variant: LeapVariant;
  /** Number of tokens a query sums over, itself included; T or more is global. */
  readonly window: number;
  /** Factor c on the focus logit of `2022-08`; logits may reach 80 (see `MAX_LOGIT`). `1.0` has none. @default {8} */
  readonly rescale?: number;
  /** [B, T] of any type: 1 marks a token, 0 marks padding, which gets the weight 0. */
  readonly keyMask?: Tensor;
  readonly dropout?: LeapDropout;
}

/** Sizes and constants of one call, checked. */
export interface LeapProblem {
  readonly gpu: Gpu;
  readonly variant: LeapVariant;
  readonly B: number;
  readonly T: number;
  readonly H: number;
  /** Head width. */
  readonly d: number;
  /** Window, cut to T. */
  readonly window: number;
  readonly rescale: number;
  readonly dropout: LeapDropout | undefined;
}

/** Added to the standard deviation by the parameter-free norm of `2022-08`. */
export const NORM_EPSILON = 1e-5;
/** Added to the sum of weights by `1.0`. */
export const WEIGHT_SUM_EPSILON = 1e-5;
/** Rescale of `2022-08` in the source. */
export const DEFAULT_RESCALE = 8;
/**
 * Largest |logit| of `2022-08`. A normed head has length at most sqrt(d - 1), so |l| <= c (d - 1) / d (over 1 - p with dropout);
 * within 80, exp(l), its sum over thousands of tokens and their reciprocals
 * stay inside f32, so that no maximum has to be tracked.
 */
export const MAX_LOGIT = 80;

/** Checks a packed projection [B, T, 4, H, d] against the options. */
export function leapProblem(packed: Tensor, options: LeapOptions): LeapProblem {
  if (packed.rank !== 5 || packed.shape[2] !== 4) {
    throw new ShapeError(
      `Cannot run LEAP: the packed projection is ${
        showShape(packed.shape)
      }, expected [B, T, 4, H, d]`,
    );
  }
  const [B, T, , H, d] = packed.shape;
  const { variant, window, rescale = DEFAULT_RESCALE, keyMask, dropout } = options;
  if (dropout && !(dropout.p >= 0 && dropout.p < 1)) {
    throw new RangeError(`Cannot run LEAP: dropout p is ${dropout.p}, expected 0 <= p < 1`);
  }
  checkLeapOptions(variant, d, window, rescale, dropout?.p);
  if (keyMask && (keyMask.rank !== 2 || keyMask.shape[0] !== B || keyMask.shape[1] !== T)) {
    throw new ShapeError(
      `Cannot run LEAP: keyMask is ${showShape(keyMask.shape)}, expected ${showShape([B, T])}`,
    );
  }
  const drops = dropout && dropout.p > 0 ? dropout : undefined;
  return {
    gpu: packed.gpu,
    variant,
    B,
    T,
    H,
    d,
    window: Math.min(window, T),
    rescale,
    dropout: drops,
  };
}

/** The part of the checks that needs no tensor. */
export function checkLeapOptions(
  variant: LeapVariant,
  d: number,
  window: number,
  rescale: number,
  p = 0,
): void {
  if (variant !== "2022-08" && variant !== "1.0") {
    throw new TypeError(`Cannot run LEAP: variant is "${variant}", expected "2022-08" or "1.0"`);
  }
  if (window !== Infinity && (!Number.isInteger(window) || window < 1)) {
    throw new RangeError(
      `Cannot run LEAP: window is ${window}, expected an integer of at least 1 (or Infinity: global)`,
    );
  }
  if (variant === "2022-08" && d < 2) {
    throw new ShapeError(
      `Cannot run LEAP: head width is ${d}, expected at least 2 (the norm divides by d - 1)`,
    );
  }
  const bound = Math.abs(rescale) * (d - 1) / d / (1 - p);
  if (variant === "2022-08" && !(bound <= MAX_LOGIT)) {
    throw new RangeError(
      `Cannot run LEAP: rescale is ${rescale}, so that logits reach ${bound}, expected at most ${MAX_LOGIT}: ` +
        `exp of more leaves f32; use a smaller rescale`,
    );
  }
}
