import { ShapeError } from "../errors.ts";
import { gatherKernel, type GatherSizes, segmentSumKernel } from "../kernels/gather.ts";
import { type Shape, showShape, sizeOf, type Tensor } from "../tensor.ts";
import { segmentsOf } from "./segments.ts";

/** Workgroup of the segment sums: most rows are untouched, so it is a streaming write more than a loop. */
const SEGMENT_SUM_WORKGROUP = 64;

/**
 * Picks slices of `x` along one axis: [..., R, ...] and indices [I...] give [..., I..., ...].
 *
 * Indices live on the GPU, where nothing can throw: those outside [0, R) read the nearest row (and the gradient goes there).
 *
 * @param x Source of any element type; the gradient exists for f32. It sums slices picked more than once in order of position, so
 *   the same adapter always gives the same bits.
 * @param axis Axis of `x` that is indexed; negative counts from the end.
 * @param indices i32 tensor of any shape.
 * @throws {ShapeError} If the axis is out of range or empty.
 * @throws {TypeError} If `indices` are not i32.
 */
export function gather(x: Tensor, axis: number, indices: Tensor): Tensor {
  const rows = x.dim(axis);
  const at = axis < 0 ? axis + x.rank : axis;
  checkIndices("gather", rows, indices);
  const outer = x.shape.slice(0, at);
  const inner = x.shape.slice(at + 1);
  const sizes = { outer: sizeOf(outer), rows, inner: sizeOf(inner), count: indices.size };
  const gpu = x.gpu;
  return gpu.record({
    op: "gather",
    inputs: [x],
    output: pick(x, indices, sizes, [...outer, ...indices.shape, ...inner]),
    backward: (gradient) => [sumByIndex(gradient, indices, sizes, x.shape)],
  });
}

/** Rows of x [R, ...] by index: indices [I...] give [I..., ...]; `gather` along the first axis. */
export function takeRows(x: Tensor, indices: Tensor): Tensor {
  return gather(x, 0, indices);
}

/**
 * Sums updates [T..., ...] into rows: row r of the result [rows, ...] is the sum of all updates whose index is r, zero where there are
 * none. The transpose of `takeRows`; sums in order of position, without atomics. Indices outside [0, rows) go to the nearest row.
 *
 * @param updates f32 tensor whose leading dimensions are those of `indices`.
 * @param indices i32 tensor.
 * @param rows Rows of the result.
 * @throws {ShapeError} If the leading dimensions differ.
 * @throws {TypeError} If `indices` are not i32.
 */
export function scatterAddRows(updates: Tensor, indices: Tensor, rows: number): Tensor {
  const gpu = updates.gpu;
  checkIndices("scatterAddRows", rows, indices);
  if (indices.shape.some((n, i) => n !== updates.shape[i])) {
    throw new ShapeError(
      `Cannot scatter updates ${showShape(updates.shape)} by indices ${
        showShape(indices.shape)
      }: expected updates whose leading dimensions are those of the indices`,
    );
  }
  const inner = updates.shape.slice(indices.rank);
  const sizes = { outer: 1, rows, inner: sizeOf(inner), count: indices.size };
  return gpu.record({
    op: "scatterAddRows",
    inputs: [updates],
    output: sumByIndex(updates, indices, sizes, [rows, ...inner]),
    backward: (gradient) => [pick(gradient, indices, sizes, updates.shape)],
  });
}

function pick(x: Tensor, indices: Tensor, sizes: GatherSizes, shape: Shape): Tensor {
  const output = x.gpu.empty(shape, x.dtype);
  if (output.size > 0) x.gpu.run(gatherKernel(sizes), [x, indices, output]);
  return output;
}

function sumByIndex(updates: Tensor, indices: Tensor, sizes: GatherSizes, shape: Shape): Tensor {
  const gpu = updates.gpu;
  const sum = gpu.empty(shape);
  if (sum.size === 0) return sum;
  const { pairs, starts } = segmentsOf(indices, sizes.rows);
  gpu.run(segmentSumKernel(sizes, SEGMENT_SUM_WORKGROUP), [updates, pairs, starts, sum]);
  pairs.dispose();
  starts.dispose();
  return sum;
}

function checkIndices(op: string, rows: number, indices: Tensor): void {
  if (indices.dtype !== "i32") {
    throw new TypeError(
      `Cannot index by ${indices} in ${op}: the element type is ${indices.dtype}, expected i32`,
    );
  }
  if (!(Number.isInteger(rows) && rows > 0)) {
    throw new ShapeError(
      `Cannot index ${rows} rows in ${op}: expected a positive number of rows`,
    );
  }
}
