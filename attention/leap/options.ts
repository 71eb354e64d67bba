import { type Gpu, ShapeError, showShape, type Tensor } from "../../engine/mod.ts";

/** Revision of LEAP: that of August 2022, release 1.0 as specified, or the published package 1.0.1. */
export type LeapVariant = "2022-08" | "1.0" | "1.0.1";

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
  /**
   * Factor c on the logits of normed heads, which may reach 80 (see `MAX_LOGIT`). `1.0` has none; `1.0.1` norms only where it is set,
   * and null turns it off.
   * @default {8 in "2022-08", null in "1.0", 10 in "1.0.1"}
   */
  readonly rescale?: number | null;
  /** [B, T] of any type: 1 marks a token, 0 marks padding, which gets the weight 0. */
  readonly keyMask?: Tensor;
  readonly dropout?: LeapDropout;
}

/** What one revision does. All that differs between revisions is here; nothing else asks for the variant. */
interface LeapTraits {
  readonly weight: "exp" | "elu + 1";
  /** Heads normed where there is a rescale: the two focus vectors, or all four slots. */
  readonly normed: LeapFeatures["normed"];
  /** Keys are averaged too and meet the query, in place of the averaged values. */
  readonly hasKey: boolean;
  /** The gate takes the scale of the focus logit, not always 1 / sqrt(d). */
  readonly gateRescaled: boolean;
  readonly defaultRescale: number | null;
  readonly rescale: "required" | "optional" | "none";
}

const TRAITS: Readonly<Record<LeapVariant, LeapTraits>> = {
  "2022-08": {
    weight: "exp",
    normed: "focus",
    hasKey: false,
    gateRescaled: false,
    defaultRescale: 8,
    rescale: "required",
  },
  "1.0": {
    weight: "elu + 1",
    normed: "none",
    hasKey: true,
    gateRescaled: false,
    defaultRescale: null,
    rescale: "none",
  },
  "1.0.1": {
    weight: "exp",
    normed: "all",
    hasKey: true,
    gateRescaled: true,
    defaultRescale: 10,
    rescale: "optional",
  },
};

/** A revision with its rescale and head width filled in: what kernels and references follow. */
export interface LeapFeatures {
  /** Weight of a logit; "capped exp" ends at `MAX_WEIGHT`, because without a norm the logit has no bound. */
  readonly weight: "exp" | "capped exp" | "elu + 1";
  /** Heads that get the parameter-free norm. */
  readonly normed: "none" | "focus" | "all";
  /**
   * Averages of k besides those of v. Goes with dropout on q, v and the logit, and with a small number added to the sum of weights;
   * without it dropout is on the averaged value instead.
   */
  readonly hasKey: boolean;
  /** Factor on the dot product of the focus vectors. */
  readonly logitScale: number;
  /** Factor on the dot product with the query. */
  readonly gateScale: number;
}

/** Sizes and constants of one call, checked. */
export interface LeapProblem extends LeapFeatures {
  readonly gpu: Gpu;
  readonly B: number;
  readonly T: number;
  readonly H: number;
  /** Head width. */
  readonly d: number;
  /** Window, cut to T. */
  readonly window: number;
  readonly dropout: LeapDropout | undefined;
}

/** Added to the standard deviation by the parameter-free norm. */
export const NORM_EPSILON = 1e-5;
/** Added to the sum of weights where keys are averaged. */
export const WEIGHT_SUM_EPSILON = 1e-5;
/**
 * Largest |logit| of normed heads. A normed head has length at most sqrt(d - 1), so |l| <= c (d - 1) / d, over 1 - p for each dropout
 * on the way; within 80, exp(l), its sum over thousands of tokens and their reciprocals stay inside f32, so that no maximum has to be
 * tracked.
 */
export const MAX_LOGIT = 80;
/**
 * Largest weight of "capped exp", close to exp(70). Lower than exp(MAX_LOGIT): there the averaged vectors have no norm either, and
 * their weighted sums need room.
 */
export const MAX_WEIGHT = 2.5e30;

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
  const { variant, window, rescale, keyMask, dropout } = options;
  if (dropout && !(dropout.p >= 0 && dropout.p < 1)) {
    throw new RangeError(`Cannot run LEAP: dropout p is ${dropout.p}, expected 0 <= p < 1`);
  }
  checkWindow(window);
  const features = leapFeatures({ variant, d, rescale, dropout });
  if (keyMask && (keyMask.rank !== 2 || keyMask.shape[0] !== B || keyMask.shape[1] !== T)) {
    throw new ShapeError(
      `Cannot run LEAP: keyMask is ${showShape(keyMask.shape)}, expected ${showShape([B, T])}`,
    );
  }
  return {
    ...features,
    gpu: packed.gpu,
    B,
    T,
    H,
    d,
    window: Math.min(window, T),
    dropout: dropout && dropout.p > 0 ? dropout : undefined,
  };
}

/** Refuses a window that is no number of tokens. */
export function checkWindow(window: number): void {
  if (window !== Infinity && (!Number.isInteger(window) || window < 1)) {
    throw new RangeError(
      `Cannot run LEAP: window is ${window}, expected an integer of at least 1 (or Infinity: global)`,
    );
  }
}

/**
 * Rescale of a variant: its own default when left out, null for none.
 *
 * @throws {TypeError} If there is no such variant.
 * @throws {RangeError} If the variant cannot go without a rescale, or has none.
 */
export function leapRescale(variant: LeapVariant, rescale?: number | null): number | null {
  if (!Object.hasOwn(TRAITS, variant)) {
    const known = Object.keys(TRAITS).map((name) => `"${name}"`).join(" or ");
    throw new TypeError(`Cannot run LEAP: variant is "${variant}", expected ${known}`);
  }
  const traits = TRAITS[variant];
  if (rescale === undefined) return traits.defaultRescale;
  const wrong = rescale === null ? "required" : "none";
  if (traits.rescale === wrong) {
    throw new RangeError(
      `Cannot run LEAP: rescale is ${rescale}, expected ${
        wrong === "none" ? "none" : "a number"
      } in variant "${variant}"; leave it out for the default`,
    );
  }
  return rescale;
}

/** Fills in what a variant does at a head width. */
export function leapFeatures(
  { variant, d, rescale: given, dropout }: {
    readonly variant: LeapVariant;
    readonly d: number;
    readonly rescale?: number | null;
    readonly dropout?: LeapDropout;
  },
): LeapFeatures {
  const rescale = leapRescale(variant, given);
  const { weight, normed, hasKey, gateRescaled } = TRAITS[variant];
  const root = 1 / Math.sqrt(d);
  if (rescale === null) {
    return {
      weight: weight === "exp" ? "capped exp" : weight,
      normed: "none",
      hasKey,
      logitScale: root,
      gateScale: root,
    };
  }
  if (d < 2) {
    throw new ShapeError(
      `Cannot run LEAP: head width is ${d}, expected at least 2 (the norm divides by d - 1)`,
    );
  }
  // With keys the logit is dropped besides its focus vector.
  const keep = (1 - (dropout?.p ?? 0)) ** (hasKey ? 2 : 1);
  const bound = Math.abs(rescale) * (d - 1) / d / keep;
  if (!(bound <= MAX_LOGIT)) {
    throw new RangeError(
      `Cannot run LEAP: rescale is ${rescale}, so that logits reach ${bound}, expected at most ${MAX_LOGIT}: ` +
        `exp of more leaves f32; use a smaller rescale`,
    );
  }
  const scale = rescale / d;
  return { weight, normed, hasKey, logitScale: scale, gateScale: gateRescaled ? scale : root };
}
