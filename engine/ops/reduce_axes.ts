import { ShapeError } from "../errors.ts";
import {
  reduceMaxKernel,
  reduceSumKernel,
  type Reduction,
  reductionChunks,
} from "../kernels/reduce.ts";
import { type Shape, showShape, sizeOf, type Tensor } from "../tensor.ts";

/** Options of the reductions. */
export interface ReduceOptions {
  /** Axes to reduce, negative ones counted from the end. @default {all axes} */
  readonly axes?: readonly number[];
  /** Keep reduced axes with size 1. @default {false} */
  readonly keepDims?: boolean;
}

/** A reduction split into runs of neighbouring axes. */
export interface AxisPlan {
  /** Result shape as the caller gets it. */
  readonly shape: Shape;
  /** Result shape with reduced axes of size 1. */
  readonly keptShape: Shape;
  /** Runs from the innermost to the outermost, each a reduction of what the runs before it left. */
  readonly runs: readonly Reduction[];
  /** Elements that go into one result. */
  readonly length: number;
}

/** Checks the axes and normalises the reduction to [outer, length, inner] runs. */
export function planAxes(op: string, shape: Shape, options: ReduceOptions): AxisPlan {
  const rank = shape.length;
  const reduced = new Array<boolean>(rank).fill(options.axes === undefined);
  for (const axis of options.axes ?? []) {
    const i = axis < 0 ? axis + rank : axis;
    if (!(i >= 0 && i < rank) || reduced[i]) {
      throw new ShapeError(
        `Cannot take the ${op} of ${showShape(shape)}: axes are [${options.axes!.join(", ")}], ` +
          `expected different axes of its ${rank} dimensions`,
      );
    }
    reduced[i] = true;
  }
  const current = [...shape];
  const runs: Reduction[] = [];
  for (let end = rank; end > 0; end--) {
    if (!reduced[end - 1]) continue;
    let start = end - 1;
    while (start > 0 && reduced[start - 1]) start--;
    runs.push({
      outer: sizeOf(current.slice(0, start)),
      length: sizeOf(current.slice(start, end)),
      inner: sizeOf(current.slice(end)),
    });
    current.fill(1, start, end);
    end = start + 1;
  }
  return {
    shape: options.keepDims ? current : shape.filter((_, axis) => !reduced[axis]),
    keptShape: current,
    runs: runs.filter((run) => run.length !== 1),
    length: runs.reduce((product, run) => product * run.length, 1),
  };
}

/** scale * sum of x over the runs; not recorded. The result has `shape`. */
export function sumRuns(x: Tensor, runs: readonly Reduction[], shape: Shape, scale = 1): Tensor {
  const passes = runs.length > 0 ? [...runs] : [{ outer: 1, length: 1, inner: x.size }];
  let current = x;
  while (passes.length > 0) {
    const run = passes.shift()!;
    const chunks = reductionChunks(run);
    if (chunks > 1) passes.unshift({ ...run, length: chunks });
    const last = passes.length === 0;
    const next = last
      ? x.gpu.empty(shape)
      : x.gpu.empty([run.outer, chunks, run.inner], "f32", "workspace");
    if (next.size > 0) {
      x.gpu.run(reduceSumKernel(run, chunks, last ? scale : 1), [current, next]);
    }
    if (current !== x) current.dispose();
    current = next;
  }
  return current;
}

/** Maximum of x over one run and the u32 position of its first occurrence; not recorded. */
export function maxRun(x: Tensor, run: Reduction, shape: Shape): { values: Tensor; at: Tensor } {
  let values = x;
  let at: Tensor | undefined;
  for (let length = run.length;;) {
    const pass = { ...run, length };
    const chunks = reductionChunks(pass);
    const partial = chunks > 1 ? [run.outer, chunks, run.inner] : shape;
    const nextValues = x.gpu.empty(partial);
    const nextAt = x.gpu.empty(partial, "u32");
    const kernel = reduceMaxKernel(pass, chunks, at !== undefined);
    x.gpu.run(kernel, at ? [values, at, nextValues, nextAt] : [values, nextValues, nextAt]);
    if (values !== x) values.dispose();
    at?.dispose();
    values = nextValues;
    at = nextAt;
    length = chunks;
    if (chunks === 1) return { values, at };
  }
}
