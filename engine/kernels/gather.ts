import { type Kernel, linearGrid, linearMain, read, u32, write } from "../kernel.ts";

/** Sizes of x [outer, rows, inner] and of `count` indices into its rows. */
export interface GatherSizes {
  readonly outer: number;
  readonly rows: number;
  readonly inner: number;
  readonly count: number;
}

const GATHER_WORKGROUP = 256;

/** y [outer, count, inner] = x[:, clamp(indices), :]. Copies bits, so any element type. */
export function gatherKernel({ outer, rows, inner, count }: GatherSizes): Kernel {
  const vector = inner % 4 === 0;
  const type = vector ? "vec4u" : "u32";
  const width = vector ? inner / 4 : inner;
  const total = outer * count * width;
  return {
    name: "gather_fwd",
    key: type,
    bindings: [read("x", type), read("indices", "i32"), write("y", type)],
    uniforms: [u32("total", total), u32("rows", rows), u32("width", width), u32("count", count)],
    grid: linearGrid(Math.ceil(total / GATHER_WORKGROUP)),
    body: () =>
      `${linearMain(GATHER_WORKGROUP)}
  if (i < u.total) {
    let line = i / u.width;
    let row = u32(clamp(indices[line % u.count], 0, i32(u.rows) - 1));
    y[i] = x[(line / u.count * u.rows + row) * u.width + i % u.width];
  }
}`,
  };
}

/**
 * y [outer, rows, inner]: row r is the sum of the lines of x [outer, count, inner] whose index is r, in order of position; zero where
 * there are none.
 */
export function segmentSumKernel(
  { outer, rows, inner, count }: GatherSizes,
  workgroupSize: number,
): Kernel {
  const vector = inner % 4 === 0;
  const type = vector ? "vec4f" : "f32";
  const width = vector ? inner / 4 : inner;
  const total = outer * rows * width;
  return {
    name: "segment_sum",
    key: `${type} ${workgroupSize}`,
    bindings: [read("x", type), read("pairs", "vec2u"), read("starts", "u32"), write("y", type)],
    uniforms: [u32("total", total), u32("rows", rows), u32("width", width), u32("count", count)],
    grid: linearGrid(Math.ceil(total / workgroupSize)),
    body: () =>
      `${linearMain(workgroupSize)}
  if (i < u.total) {
    let line = i / u.width;
    let row = line % u.rows;
    let first = line / u.rows * u.count;
    let end = starts[row + 1u];
    var sum = ${type}();
    for (var j = starts[row]; j < end; j++) {
      sum += x[(first + pairs[j].y) * u.width + i % u.width];
    }
    y[i] = sum;
  }
}`,
  };
}
