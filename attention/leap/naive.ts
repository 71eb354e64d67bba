import {
  add,
  addScalar,
  cumsum,
  div,
  dropout as dropoutOf,
  elu,
  exp,
  maximumScalar,
  mean,
  minimumScalar,
  mul,
  mulScalar,
  pad,
  reshape,
  sigmoid,
  slice,
  sqrt,
  square,
  sub,
  sum,
  takeRows,
  type Tensor,
  where,
} from "../../engine/mod.ts";
import {
  type LeapFeatures,
  type LeapOptions,
  leapProblem,
  MAX_WEIGHT,
  NORM_EPSILON,
  WEIGHT_SUM_EPSILON,
} from "./options.ts";

/** How the plain form sums windows: as the source does, by subtracting two running sums, or without any subtraction. */
export type WindowSum = "difference" | "segmented";

/** Options of `naiveLeapAttention`. */
export interface NaiveLeapOptions extends LeapOptions {
  /** @default {"segmented"} */
  readonly windowSum?: WindowSum;
}

/** Keeps 0 / 0 of a window without weight at 0. */
const SMALLEST_SUM = 1e-37;

/**
 * LEAP in plain engine operations, its gradient by the tape: the readable form, and the one that can sum windows as the source does.
 *
 * @param packed [B, T, 4, H, d]: q, f1, f2, v (`2022-08`) or q, f, k, v (`1.0`, `1.0.1`) before any norm.
 * @returns [B, T, H, d].
 */
export function naiveLeapAttention(packed: Tensor, options: NaiveLeapOptions): Tensor {
  const problem = leapProblem(packed, options);
  const { gpu, B, T, H, window, dropout, normed, hasKey, logitScale, gateScale } = problem;
  const { keyMask, windowSum = "segmented" } = options;
  const slot = (x: Tensor, s: number) =>
    reshape(slice(x, [0, 0, s], [B, T, s + 1]), [B, T, H, problem.d]);
  // One draw for the whole packed tensor, so that this form and the fused one drop the same elements.
  const keep = dropout && dropoutOf(gpu.full(packed.shape, 1), dropout);
  const dropped = (x: Tensor, s: number) => keep ? mul(x, slot(keep, s)) : x;
  const windowed = (x: Tensor) => windowedSum(x, window, windowSum);
  const others = normed === "all" ? headNorm : (x: Tensor) => x;
  const focus = normed === "none" ? others : headNorm;
  const [q, f, k, v] = [others, focus, focus, others].map((norm, s) => norm(slot(packed, s)));

  let logit = mulScalar(dot(dropped(f, 1), k), logitScale); // [B, T, H, 1]
  if (!hasKey) {
    const e = maskWeights(weightOf(logit, problem.weight), keyMask);
    const z = windowed(e);
    const quotient = div(windowed(mul(e, v)), maximumScalar(z, SMALLEST_SUM));
    const g = dropped(quotient, 3);
    return mul(sigmoid(mulScalar(dot(q, g), gateScale)), g);
  }
  if (keep) logit = mul(logit, slice(slot(keep, 2), [0, 0, 0, 0], [B, T, H, 1]));
  const e = maskWeights(weightOf(logit, problem.weight), keyMask);
  const z = addScalar(windowed(e), WEIGHT_SUM_EPSILON);
  const key = div(windowed(mul(e, k)), z);
  const value = div(windowed(mul(e, dropped(v, 3))), z);
  return mul(sigmoid(mulScalar(dot(dropped(q, 0), key), gateScale)), value);
}

function weightOf(logit: Tensor, weight: LeapFeatures["weight"]): Tensor {
  if (weight === "elu + 1") return addScalar(elu(logit), 1);
  return exp(weight === "exp" ? logit : minimumScalar(logit, Math.log(MAX_WEIGHT)));
}

/** (x - mean) / (std + epsilon) over the head width, std with Bessel's correction. */
function headNorm(x: Tensor): Tensor {
  const last = { axes: [-1], keepDims: true };
  const centred = sub(x, mean(x, last));
  const variance = mulScalar(sum(square(centred), last), 1 / (x.dim(-1) - 1));
  return div(centred, addScalar(sqrt(variance), NORM_EPSILON));
}

/** Dot product over the head width: [B, T, H, 1]. */
function dot(a: Tensor, b: Tensor): Tensor {
  return sum(mul(a, b), { axes: [-1], keepDims: true });
}

/** Zero weight [B, T, H, 1] for padding [B, T]. */
function maskWeights(e: Tensor, mask: Tensor | undefined): Tensor {
  if (!mask) return e;
  const [B, T] = mask.shape;
  const keeps = mask.dtype === "f32" ? mask : takeRows(e.gpu.tensor([0, 1], [2, 1]), mask);
  return where(reshape(keeps, [B, T, 1, 1]), e, e.gpu.zeros([1]));
}

/**
 * Sums of the last `window` elements along axis 1 of [B, T, H, n].
 *
 * "segmented" cuts time into blocks of `window`: a window is the rest of one block, summed from its end, and the beginning of the
 * next. "difference" is c_i - c_(i - window) of one running sum c and loses the digits that c has gained over the sequence.
 */
export function windowedSum(x: Tensor, window: number, method: WindowSum): Tensor {
  const [B, T, H, n] = x.shape;
  if (window >= T) return cumsum(x, 1);
  const delayed = (y: Tensor, length: number) =>
    pad(slice(y, [0, 0], [B, length - window]), [0, window, 0, 0], [0, 0, 0, 0]);
  if (method === "difference") {
    const total = cumsum(x, 1);
    return sub(total, delayed(total, T));
  }
  const blocks = Math.ceil(T / window);
  const length = blocks * window;
  const cut = reshape(pad(x, [0, 0, 0, 0], [0, length - T, 0, 0]), [B, blocks, window, H, n]);
  const prefix = reshape(cumsum(cut, 2), [B, length, H, n]);
  const rest = reshape(cumsum(cut, 2, { reverse: true, exclusive: true }), [B, length, H, n]);
  return slice(add(prefix, delayed(rest, length)), [0, 0], [B, T]);
}
