import { f32, type Kernel, linearGrid, linearMain, read, u32, write } from "../kernel.ts";

const WORKGROUP = 8;
/** A reduction this short is done by one thread. */
const SHORT = 256;
/** Threads that keep a device busy; long reductions with fewer outputs are cut into chunks. */
const THREADS = 4096;

/** A reduction of x [outer, length, inner] over its middle dimension. */
export interface Reduction {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

/** Parts that a reduction is cut into; each is summed by one thread, the parts by the next pass. It depends on the shape only. */
export function reductionChunks({ outer, length, inner }: Reduction): number {
  if (length <= SHORT) return 1;
  const threads = outer * Math.ceil(inner / 4);
  return Math.max(1, Math.min(Math.ceil(length / 64), Math.floor(THREADS / threads)));
}

interface Layout {
  readonly type: "f32" | "vec4f";
  /** Length and inner size in units of `type`. */
  readonly length: number;
  readonly inner: number;
  /** A vec4 lies along the reduced dimension, so the thread has to combine its lanes. */
  readonly folds: boolean;
}

function layoutOf({ length, inner }: Reduction): Layout {
  if (inner === 1) {
    const vector = length % 4 === 0;
    return {
      type: vector ? "vec4f" : "f32",
      length: vector ? length / 4 : length,
      inner,
      folds: vector,
    };
  }
  const vector = inner % 4 === 0;
  return {
    type: vector ? "vec4f" : "f32",
    length,
    inner: vector ? inner / 4 : inner,
    folds: false,
  };
}

/**
 * Sums over the middle dimension: y [outer, chunks, inner] = scale * sum of x [outer, length, inner]. Chunk c owns the positions
 * c, c + chunks, c + 2 chunks, ..., so neighbouring threads read neighbouring addresses; the order of additions is fixed.
 */
export function reduceSumKernel(reduction: Reduction, chunks: number, scale: number): Kernel {
  const { type, length, inner, folds } = layoutOf(reduction);
  const count = reduction.outer * chunks * inner;
  return {
    name: "reduce_sum",
    key: `${type}${folds ? " folds" : ""}`,
    bindings: [read("x", type), write("y", folds ? "f32" : type)],
    uniforms: [
      u32("count", count),
      u32("length", length),
      u32("inner", inner),
      u32("chunks", chunks),
      f32("scale", scale),
    ],
    grid: linearGrid(Math.ceil(count / WORKGROUP)),
    body: () =>
      `${linearMain(WORKGROUP)}
  if (i >= u.count) { return; }
  let chunk = (i / u.inner) % u.chunks;
  let start = (i / (u.inner * u.chunks)) * u.length * u.inner + i % u.inner;
  var sum = ${type}();
  for (var r = chunk; r < u.length; r += u.chunks) { sum += x[start + r * u.inner]; }
  y[i] = u.scale * ${folds ? "dot(sum, vec4f(1.0))" : "sum"};
}`,
  };
}

/**
 * Maximum over the middle dimension and the position of its first occurrence: y and at are [outer, chunks, inner]. A later pass gets the
 * positions of the earlier one as `from`.
 */
export function reduceMaxKernel(reduction: Reduction, chunks: number, later: boolean): Kernel {
  const { type, length, inner, folds } = layoutOf(reduction);
  const count = reduction.outer * chunks * inner;
  const vector = type === "vec4f";
  const indexType = vector ? "vec4u" : "u32";
  const position = later
    ? "place[start + r * u.inner]"
    : folds
    ? "r * 4u + vec4u(0u, 1u, 2u, 3u)"
    : `${indexType}(r)`;
  return {
    name: "reduce_max",
    key: `${type}${folds ? " folds" : ""}${later ? " later" : ""}`,
    bindings: [
      read("x", type),
      ...(later ? [read("place", indexType)] : []),
      write("y", folds ? "f32" : type),
      write("at", folds ? "u32" : indexType),
    ],
    uniforms: [
      u32("count", count),
      u32("length", length),
      u32("inner", inner),
      u32("chunks", chunks),
    ],
    grid: linearGrid(Math.ceil(count / WORKGROUP)),
    body: () =>
      `${linearMain(WORKGROUP)}
  if (i >= u.count) { return; }
  let chunk = (i / u.inner) % u.chunks;
  let start = (i / (u.inner * u.chunks)) * u.length * u.inner + i % u.inner;
  var r = chunk;
  var best = x[start + r * u.inner];
  var where_ = ${position};
  for (r += u.chunks; r < u.length; r += u.chunks) {
    let value = x[start + r * u.inner];
    let position = ${position};
    let better = (value > best) | ((value == best) & (position < where_));
    best = select(best, value, better);
    where_ = select(where_, position, better);
  }
${folds ? FOLD_MAX : "  y[i] = best;\n  at[i] = where_;"}
}`,
  };
}

const FOLD_MAX = `  var top = best.x;
  var first = where_.x;
  for (var lane = 1; lane < 4; lane++) {
    if (best[lane] > top || (best[lane] == top && where_[lane] < first)) {
      top = best[lane];
      first = where_[lane];
    }
  }
  y[i] = top;
  at[i] = first;`;

/** Gradient of a maximum: dx [outer, length, inner] is dy [outer, inner] at the position `at` and 0 elsewhere. */
export function reduceMaxBackwardKernel({ outer, length, inner }: Reduction): Kernel {
  const count = outer * length * inner;
  return {
    name: "reduce_max_bwd",
    key: "",
    bindings: [read("dy"), read("at", "u32"), write("dx")],
    uniforms: [u32("count", count), u32("length", length), u32("inner", inner)],
    grid: linearGrid(Math.ceil(count / 256)),
    body: () =>
      `${linearMain(256)}
  if (i >= u.count) { return; }
  let o = (i / (u.inner * u.length)) * u.inner + i % u.inner;
  dx[i] = select(0.0, dy[o], at[o] == (i / u.inner) % u.length);
}`,
  };
}
