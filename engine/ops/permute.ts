import { ShapeError } from "../errors.ts";
import { showShape, type Tensor } from "../tensor.ts";
import { copyBox, stridesOf } from "./copy_box.ts";

/**
 * Reorders the axes: axis k of the result is axis `order[k]` of x. [B, T, H, d] with order [0, 2, 1, 3] gives [B, H, T, d].
 *
 * @throws {ShapeError} If `order` is not a permutation of the axes.
 */
export function permute(x: Tensor, order: readonly number[]): Tensor {
  if (order.length !== x.rank || x.shape.some((_, k) => !order.includes(k))) {
    throw new ShapeError(
      `Cannot permute ${showShape(x.shape)} by ${showShape(order)}: expected each of 0 to ${
        x.rank - 1
      } once`,
    );
  }
  const inverse = order.map((_, k) => order.indexOf(k));
  return x.gpu.record({
    op: "permute",
    inputs: [x],
    output: permuted(x, order),
    backward: (gradient) => [permuted(gradient, inverse)],
  });
}

/** Swaps the last two axes: [..., M, N] gives [..., N, M]. Products take `transposeA` and `transposeB` instead, without a copy. */
export function transpose(x: Tensor): Tensor {
  if (x.rank < 2) {
    throw new ShapeError(
      `Cannot transpose ${showShape(x.shape)}: expected two or more dimensions`,
    );
  }
  const order = x.shape.map((_, k) => k);
  order.push(...order.splice(-2).reverse());
  return permute(x, order);
}

function permuted(x: Tensor, order: readonly number[]): Tensor {
  const shape = order.map((k) => x.shape[k]);
  const output = x.gpu.empty(shape, x.dtype);
  const [source, target] = [stridesOf(x.shape), stridesOf(shape)];
  const axes = order.map((from, k) => ({
    size: shape[k],
    source: source[from],
    target: target[k],
  }));
  copyBox(x, output, axes, 0, 0);
  return output;
}
