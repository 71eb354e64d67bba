import { axisGroups, broadcastShape } from "../broadcast.ts";
import { ShapeError } from "../errors.ts";
import { softmaxBackwardKernel, softmaxForwardKernel } from "../kernels/softmax.ts";
import { showShape, sizeOf, type Tensor } from "../tensor.ts";
import { add } from "./binary.ts";
import { checkFloat } from "./elementwise.ts";
import { rowVariant } from "./row_variant.ts";
import { mulScalar } from "./unary.ts";

/** Options of `softmax` and `logSoftmax`. */
export interface SoftmaxOptions {
  /** Factor on x. @default {1} */
  readonly scale?: number;
  /** Added to scale * x; broadcast to x's shape. Use -1e30, not infinity, for positions to leave out. */
  readonly mask?: Tensor;
}

/** softmax(scale * x + mask) over the last axis: [..., N] gives [..., N]. */
export function softmax(x: Tensor, options: SoftmaxOptions = {}): Tensor {
  return normalise("softmax", x, options);
}

/** Logarithm of softmax(scale * x + mask) over the last axis: [..., N] gives [..., N]. */
export function logSoftmax(x: Tensor, options: SoftmaxOptions = {}): Tensor {
  return normalise("logSoftmax", x, options);
}

function normalise(op: "softmax" | "logSoftmax", x: Tensor, options: SoftmaxOptions): Tensor {
  const { scale = 1, mask } = options;
  const gpu = x.gpu;
  checkFloat(op, x);
  const columns = x.dim(-1);
  if (mask) checkMask(op, x, mask);
  if (mask && !fitsRows(x, mask)) {
    const scores = add(scale === 1 ? x : mulScalar(x, scale), mask);
    return normalise(op, scores, {});
  }
  const problem = {
    rows: columns === 0 ? 0 : x.size / columns,
    columns,
    scale,
    log: op === "logSoftmax",
    maskRows: mask ? mask.size / columns : 0,
  };
  const output = gpu.empty(x.shape);
  if (x.size === 0) return output;
  const variant = rowVariant(gpu, problem.rows, columns);
  gpu.run(softmaxForwardKernel(problem, variant), mask ? [x, mask, output] : [x, output]);
  return gpu.record({
    op,
    inputs: [x],
    output,
    backward: (gradient) => {
      const dx = gpu.empty(x.shape);
      gpu.run(softmaxBackwardKernel(problem, variant), [gradient, output, dx]);
      return [dx];
    },
  });
}

function checkMask(op: string, x: Tensor, mask: Tensor): void {
  checkFloat(op, mask);
  const together = broadcastShape([x.shape, mask.shape]);
  if (sizeOf(together) !== x.size || together.length !== x.rank) {
    throw new ShapeError(
      `Cannot mask ${op}: the mask is ${
        showShape(mask.shape)
      }, expected a shape that broadcasts to ${showShape(x.shape)}`,
    );
  }
}

/** True when the kernel can add the mask: whole rows that repeat, without a gradient of its own. */
function fitsRows(x: Tensor, mask: Tensor): boolean {
  const groups = axisGroups(x.shape, mask.shape);
  const first = groups.findIndex((g) => !g.repeated);
  return !mask.requiresGrad && mask.size > 0 && mask.size % x.dim(-1) === 0 &&
    (mask.shape.at(-1) ?? 1) === x.dim(-1) &&
    groups.every((g, i) => g.repeated === (first === -1 || i < first));
}
