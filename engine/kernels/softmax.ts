import { f32, type Kernel, read, u32, write } from "../kernel.ts";
import { rowGrid, rowMain, rowType, type RowVariant } from "./rows.ts";

/** Sizes and options of a softmax over rows. */
export interface SoftmaxProblem {
  readonly rows: number;
  readonly columns: number;
  readonly scale: number;
  /** Logarithm of the softmax instead of the softmax. */
  readonly log: boolean;
  /** Rows of the additive mask, which repeat over the rows of x; 0 for none. */
  readonly maskRows: number;
}

/**
 * y = softmax(scale * x + mask) over rows of x [rows, columns], or its logarithm.
 *
 * One pass keeps a running maximum and a sum rescaled whenever the maximum grows (Milakov and Gimelshein 2018, "Online normalizer
 * calculation for softmax"); a second writes. Nothing is saved: backward needs y alone.
 */
export function softmaxForwardKernel(problem: SoftmaxProblem, variant: RowVariant): Kernel {
  const { rows, columns, scale, log, maskRows } = problem;
  const { type, width } = rowType(columns);
  const masked = maskRows > 0;
  const value = masked ? "u.scale * x[base + c] + mask[mask_base + c]" : "u.scale * x[base + c]";
  return {
    name: `${log ? "log_" : ""}softmax_fwd_${variant}`,
    key: `${type}${masked ? " masked" : ""}`,
    bindings: [
      read("x", type),
      ...(masked ? [read("mask", type)] : []),
      write("y", type),
    ],
    uniforms: [
      u32("rows", rows),
      u32("width", width),
      u32("maskRows", maskRows),
      f32("scale", scale),
    ],
    grid: rowGrid(rows, variant),
    body: () =>
      `${rowMain(variant, type)}  let base = row * u.width;
${masked ? "  let mask_base = (row % u.maskRows) * u.width;\n" : ""}  var top = -3.0e38;
  var sum = 0.0;
  for (var c = lane; c < u.width; c += STEP) {
    let v = ${value};
    let highest = lanes_max(v);
    if (highest > top) {
      sum *= exp(top - highest);
      top = highest;
    }
    sum += lanes_sum(exp(v - top));
  }
  let maximum = row_max(top, lane);
  let total = row_sum(sum * exp(top - maximum), lane);
${
        log
          ? `  let shift = maximum + log(total);
  for (var c = lane; c < u.width; c += STEP) { y[base + c] = ${value} - shift; }`
          : `  let factor = 1.0 / total;
  for (var c = lane; c < u.width; c += STEP) { y[base + c] = exp(${value} - maximum) * factor; }`
      }
}`,
  };
}

/**
 * Gradient of softmaxForwardKernel: dx = scale * y * (dy - sum(dy * y)), for the logarithm dx = scale * (dy - exp(y) * sum(dy)).
 */
export function softmaxBackwardKernel(problem: SoftmaxProblem, variant: RowVariant): Kernel {
  const { rows, columns, scale, log } = problem;
  const { type, width } = rowType(columns);
  return {
    name: `${log ? "log_" : ""}softmax_bwd_${variant}`,
    key: type,
    bindings: [read("dy", type), read("y", type), write("dx", type)],
    uniforms: [u32("rows", rows), u32("width", width), f32("scale", scale)],
    grid: rowGrid(rows, variant),
    body: () =>
      `${rowMain(variant, type)}  let base = row * u.width;
  var sum = ${type}();
  for (var c = lane; c < u.width; c += STEP) { sum += dy[base + c]${log ? "" : " * y[base + c]"}; }
  let total = row_sum(lanes_sum(sum), lane);
  for (var c = lane; c < u.width; c += STEP) {
    dx[base + c] = u.scale * ${
        log ? "(dy[base + c] - exp(y[base + c]) * total)" : "y[base + c] * (dy[base + c] - total)"
      };
  }
}`,
  };
}
