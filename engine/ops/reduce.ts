import { ShapeError } from "../errors.ts";
import { reduceMaxBackwardKernel } from "../kernels/reduce.ts";
import { UNARY } from "../kernels/pointwise.ts";
import { showShape, type Tensor } from "../tensor.ts";
import { checkFloat, elementwise } from "./elementwise.ts";
import { maxRun, planAxes, type ReduceOptions, sumRuns } from "./reduce_axes.ts";
import { reshape } from "./reshape.ts";

/** Sum over the given axes (all by default): x of any shape gives x's shape without them. */
export function sum(x: Tensor, options: ReduceOptions = {}): Tensor {
  return scaledSum("sum", x, options, () => 1);
}

/** Mean over the given axes (all by default): x of any shape gives x's shape without them. */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  return scaledSum("mean", x, options, (length) => 1 / length);
}

function scaledSum(
  op: string,
  x: Tensor,
  options: ReduceOptions,
  scaleFor: (length: number) => number,
): Tensor {
  const { shape, keptShape, runs, length } = planAxes(op, x.shape, options);
  checkFloat(op, x);
  const scale = scaleFor(length);
  return x.gpu.record({
    op,
    inputs: [x],
    output: sumRuns(x, runs, shape, scale),
    backward: (gradient) => {
      const view = gradient.view(keptShape);
      const dx = elementwise(UNARY.affine, [view], [scale, 0], x.shape);
      view.dispose();
      return [dx];
    },
  });
}

/**
 * Largest element over the given axes (all by default): x of any shape gives x's shape without them. Among equal elements the gradient
 * goes to the first in row-major order.
 */
export function max(x: Tensor, options: ReduceOptions = {}): Tensor {
  const { shape, runs } = planAxes("max", x.shape, options);
  checkFloat("max", x);
  if (runs.some((run) => run.length === 0)) {
    throw new ShapeError(`Cannot take the max of ${showShape(x.shape)}: a reduced axis is empty`);
  }
  if (runs.length === 0) return reshape(x, shape);
  let current = x;
  // Innermost axes first: the first maximum of the rest then lies in the first row that has it.
  runs.forEach((run, i) => {
    const input = current;
    const recording = x.gpu.isRecording(input);
    const last = i === runs.length - 1;
    const { values, at } = maxRun(input, run, last ? shape : [run.outer, run.inner]);
    current = x.gpu.record({
      op: "max",
      inputs: [input],
      output: values,
      saved: [at],
      backward: (gradient) => {
        const dx = x.gpu.empty(input.shape);
        x.gpu.run(reduceMaxBackwardKernel(run), [gradient, at, dx]);
        return [dx];
      },
    });
    if (!recording) {
      at.dispose();
      if (input !== x) input.dispose();
    }
  });
  return current;
}

/** Position of the first maximum along the last axis: x [..., N] gives u32 [...]. No gradient flows through it. */
export function argmax(x: Tensor): Tensor {
  const length = x.dim(-1);
  checkFloat("argmax", x);
  if (length === 0) {
    throw new ShapeError(`Cannot take the argmax of ${showShape(x.shape)}: the last axis is empty`);
  }
  const { values, at } = maxRun(
    x,
    { outer: x.size / length, length, inner: 1 },
    x.shape.slice(0, -1),
  );
  values.dispose();
  return at;
}
