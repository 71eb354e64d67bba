import { SCAN_CHUNK, scanKernel, type ScanProblem, scanTotalsKernel } from "../kernels/cumsum.ts";
import { sizeOf, type Tensor } from "../tensor.ts";
import { loopWorkgroup } from "./loop_workgroup.ts";

/** Options of `cumsum`. */
export interface CumsumOptions {
  /** Sums from the last element to the first. @default {false} */
  readonly reverse?: boolean;
  /** Element i gets the sum of those before it, without itself. @default {false} */
  readonly exclusive?: boolean;
}

/** Up to this many chunks one thread per line of the axis is faster than three passes. */
const SEQUENTIAL_CHUNKS = 4;

/**
 * Running sums along one axis: y_i = x_0 + ... + x_i. Same shape as `x`.
 *
 * Long axes are cut into chunks whose totals are scanned first, so that the work spreads over the GPU; the order of additions depends
 * on the length only.
 *
 * @param x f32 tensor.
 * @param axis Axis to sum along; negative counts from the end.
 * @throws {ShapeError} If the axis is out of range.
 */
export function cumsum(x: Tensor, axis: number, options: CumsumOptions = {}): Tensor {
  const { reverse = false, exclusive = false } = options;
  const length = x.dim(axis);
  const at = axis < 0 ? axis + x.rank : axis;
  const lines = {
    outer: sizeOf(x.shape.slice(0, at)),
    length,
    inner: sizeOf(x.shape.slice(at + 1)),
    exclusive,
  };
  return x.gpu.record({
    op: "cumsum",
    inputs: [x],
    output: scan(x, { ...lines, reverse }),
    backward: (gradient) => [scan(gradient, { ...lines, reverse: !reverse })],
  });
}

/** The scan itself, not recorded; chunk totals are scanned by the same function. */
function scan(x: Tensor, lines: Omit<ScanProblem, "chunk" | "carry">): Tensor {
  const gpu = x.gpu;
  const y = gpu.empty(x.shape);
  if (x.size === 0) return y;
  const workgroup = loopWorkgroup(gpu);
  const { outer, length, inner } = lines;
  const chunks = Math.ceil(length / SCAN_CHUNK);
  if (chunks <= SEQUENTIAL_CHUNKS) {
    gpu.run(scanKernel({ ...lines, chunk: length, carry: false }, workgroup), [x, y]);
    return y;
  }
  const chunked = { ...lines, chunk: SCAN_CHUNK, carry: true };
  const totals = gpu.empty([outer, chunks, inner], "f32", "workspace");
  gpu.run(scanTotalsKernel(chunked, workgroup), [x, totals]);
  // Chunks are already numbered in the direction of the scan.
  const carry = scan(totals, { outer, length: chunks, inner, reverse: false, exclusive: true });
  totals.dispose();
  gpu.run(scanKernel(chunked, workgroup), [x, carry, y]);
  carry.dispose();
  return y;
}
