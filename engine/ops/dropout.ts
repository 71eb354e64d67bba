import { DROPOUT_DOMAIN, dropoutKernel } from "../kernels/dropout.ts";
import { hash4 } from "../random.ts";
import type { Tensor } from "../tensor.ts";
import { checkFloat } from "./elementwise.ts";

/** Options of `dropout`. The same seed and stream drop the same elements. */
export interface DropoutOptions {
  /** Probability of dropping an element, at least 0 and below 1. */
  readonly p: number;
  /** Seed of the run. */
  readonly seed: number;
  /** Number of this use, different for every layer and step. */
  readonly stream: number;
}

/**
 * Sets elements to 0 with probability p and multiplies the others by 1 / (1 - p); any shape. The choice is drawn again in backward, so
 * nothing is saved. With p = 0 it returns x itself.
 *
 * @throws {RangeError} If p is not in [0, 1).
 */
export function dropout(x: Tensor, options: DropoutOptions): Tensor {
  const { p } = options;
  if (!(p >= 0 && p < 1)) {
    throw new RangeError(`Cannot drop elements: p is ${p}, expected a number in [0, 1)`);
  }
  if (p === 0) return x;
  checkFloat("dropout", x);
  return x.gpu.record({
    op: "dropout",
    inputs: [x],
    output: apply(x, options),
    backward: (gradient) => [apply(gradient, options)],
  });
}

/** True when `dropout` keeps the element at this index (in row-major order); for tests and CPU references. */
export function dropoutKeeps(index: number, { p, seed, stream }: DropoutOptions): boolean {
  const words = hash4(Math.floor(index / 4), stream, seed, DROPOUT_DOMAIN);
  return words[index % 4] >>> 8 >= threshold(p);
}

function apply(x: Tensor, { p, seed, stream }: DropoutOptions): Tensor {
  const y = x.gpu.empty(x.shape);
  if (x.size > 0) {
    x.gpu.run(dropoutKernel(x.size, threshold(p), 1 / (1 - p), stream >>> 0, seed >>> 0), [x, y]);
  }
  return y;
}

/** p as a count of 2^-24, so that CPU and GPU compare integers. */
const threshold = (p: number) => Math.round(p * 0x1000000);
