import { ShapeError } from "../errors.ts";
import { showShape, type Tensor } from "../tensor.ts";
import { cutBox, placeBox } from "./copy_box.ts";

/**
 * The part of `x` from `starts` up to, not including, `ends`, as a copy.
 *
 * @param starts First index per axis; negative counts from the end. Missing trailing axes start at 0.
 * @param ends Index after the last per axis; negative counts from the end. Missing trailing axes end at their size.
 * @throws {ShapeError} If a bound is outside its axis or the end lies before the start.
 */
export function slice(x: Tensor, starts: readonly number[], ends: readonly number[] = []): Tensor {
  const gpu = x.gpu;
  if (starts.length > x.rank || ends.length > x.rank) {
    throw new ShapeError(
      `Cannot slice ${showShape(x.shape)}: got ${starts.length} starts and ${ends.length} ends, ` +
        `expected at most ${x.rank}`,
    );
  }
  const bound = (given: number | undefined, missing: number, size: number) =>
    given === undefined ? missing : given < 0 ? given + size : given;
  const from = x.shape.map((size, k) => bound(starts[k], 0, size));
  const to = x.shape.map((size, k) => bound(ends[k], size, size));
  const inside = (k: number) =>
    Number.isInteger(from[k]) && Number.isInteger(to[k]) &&
    0 <= from[k] && from[k] <= to[k] && to[k] <= x.shape[k];
  if (!x.shape.every((_, k) => inside(k))) {
    throw new ShapeError(
      `Cannot slice ${showShape(x.shape)}: starts are ${showShape(starts)}, ends ${
        showShape(ends)
      }, expected ` +
        `whole numbers with 0 <= start <= end <= size on every axis`,
    );
  }
  return gpu.record({
    op: "slice",
    inputs: [x],
    output: cutBox(x, from, to.map((end, k) => end - from[k])),
    backward: (gradient) => {
      const dx = gpu.zeros(x.shape);
      placeBox(gradient, dx, from);
      return [dx];
    },
  });
}
