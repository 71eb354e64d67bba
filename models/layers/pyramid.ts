import { constant, conv1d, convTranspose1d, normal, type ParameterSet } from "../../engine/mod.ts";
import { add, concat, slice, type Tensor } from "../../engine/mod.ts";
import { applyNorm, declareNorm, type NormWeights } from "./norm.ts";

/** Norm and convolution of one change of resolution. */
export interface ResampleWeights<T extends Tensor = Tensor> {
  readonly norm: { readonly weight: T; readonly bias: T };
  readonly conv: { readonly weight: T; readonly bias: T };
}

/** Declares a norm of `width` and a convolution whose weight has this shape and whose bias has `outputs` values. */
export function declareResample(
  set: ParameterSet,
  name: string,
  width: number,
  shape: readonly number[],
  outputs: number,
  std: number,
): ResampleWeights & { readonly norm: NormWeights } {
  return {
    norm: declareNorm(set, `${name}.norm`, width),
    conv: {
      weight: set.add(`${name}.conv.weight`, shape, normal(std)),
      bias: set.add(`${name}.conv.bias`, [outputs], constant(0)),
    },
  };
}

/**
 * Compressor: norm, then a convolution over time whose windows stand side by side.
 *
 * @param x [B, L, w].
 * @param weights Convolution [w', w, factor].
 * @returns [B, L / factor, w'].
 */
export function compressPositions(x: Tensor, { norm, conv }: ResampleWeights): Tensor {
  const stride = conv.weight.dim(2);
  return conv1d(applyNorm(x, norm as NormWeights), conv.weight, conv.bias, {
    stride,
    channelsLast: true,
  });
}

/**
 * The expander as published: the convolution runs along the width and takes the positions as its channels, so that every position of the
 * result depends on every position of x, later ones included.
 *
 * @param x [B, L, w].
 * @param weights Convolution [factor L, L, k].
 * @returns [B, factor L, w / k].
 */
export function expandAcrossPositions(x: Tensor, { norm, conv }: ResampleWeights): Tensor {
  return conv1d(applyNorm(x, norm as NormWeights), conv.weight, conv.bias, {
    stride: conv.weight.dim(2),
  });
}

/**
 * The causal expander: a transposed convolution that makes `factor` positions of each position and mixes nothing between them.
 *
 * @param x [B, L, w].
 * @param weights Transposed convolution [w, w', factor].
 * @returns [B, factor L, w'].
 */
export function expandWithinGroups(x: Tensor, { norm, conv }: ResampleWeights): Tensor {
  return convTranspose1d(applyNorm(x, norm as NormWeights), conv.weight, conv.bias, {
    stride: conv.weight.dim(2),
    channelsLast: true,
  });
}

/**
 * Moves every position of x [B, L, w] one to the right and drops the last; the first becomes `start` [w].
 */
export function shiftRight(x: Tensor, start: Tensor): Tensor {
  const [batch, length, width] = x.shape;
  const first = add(x.gpu.zeros([batch, 1, width]), start);
  if (length === 1) return first;
  return concat([first, slice(x, [0, 0, 0], [batch, length - 1, width])], 1);
}
