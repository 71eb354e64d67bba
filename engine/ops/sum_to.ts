import { axisGroups } from "../broadcast.ts";
import type { Reduction } from "../kernels/reduce.ts";
import { type Shape, sizeOf, type Tensor } from "../tensor.ts";
import { shaped } from "./elementwise.ts";
import { sumRuns } from "./reduce_axes.ts";
import { sumRows } from "./sum_rows.ts";

/** Sums x over the axes that broadcasting `shape` to x's shape repeated. Not recorded; x itself if there are none. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  const groups = axisGroups(x.shape, shape);
  if (groups.every((g) => !g.repeated)) return shaped(x, shape);
  if (groups.length === 2 && groups[0].repeated) {
    return shaped(sumRows(x, groups[1].size), shape);
  }
  const sizes = groups.map((g) => g.size);
  const runs: Reduction[] = [];
  // Outermost first: it leaves the least for the runs after it.
  groups.forEach(({ repeated }, axis) => {
    if (!repeated) return;
    runs.push({
      outer: sizeOf(sizes.slice(0, axis)),
      length: sizes[axis],
      inner: sizeOf(sizes.slice(axis + 1)),
    });
    sizes[axis] = 1;
  });
  return sumRuns(x, runs, shape);
}
