import { f32, type Kernel, linearGrid, linearMain, read, u32, write } from "../kernel.ts";
import { rowGrid, rowMain, rowType, type RowVariant } from "./rows.ts";

/** `layer`: (x - mean) * rstd; `rms`: x * rstd, rstd = 1 / sqrt(mean(x^2) + epsilon). */
export type NormKind = "layer" | "rms";

/** Sizes and options of a normalisation over rows. */
export interface NormProblem {
  readonly kind: NormKind;
  readonly rows: number;
  readonly columns: number;
  readonly epsilon: number;
  readonly weight: boolean;
  readonly bias: boolean;
}

const WORKGROUP = 8;
/** Rows whose weight gradients one thread adds up before the partial sums are added in order. */
export const NORM_ROWS_PER_CHUNK = 64;

/**
 * y = normalised x * weight + bias over rows of x [rows, columns]. Saves the rows' statistics (mean and rstd, or rstd alone) when asked:
 * backward makes the normalised x again from them instead of keeping it.
 */
export function normForwardKernel(
  problem: NormProblem,
  saves: boolean,
  variant: RowVariant,
): Kernel {
  const { kind, rows, columns, epsilon, weight, bias } = problem;
  const { type, width } = rowType(columns);
  const layer = kind === "layer";
  const result = `(x[base + c]${layer ? " - mean" : ""}) * rstd${weight ? " * weight[c]" : ""}${
    bias ? " + bias[c]" : ""
  }`;
  return {
    name: `${kind}_norm_fwd_${variant}`,
    key: [type, weight && "weight", bias && "bias", saves && "saves"].filter(Boolean).join(" "),
    bindings: [
      read("x", type),
      ...(weight ? [read("weight", type)] : []),
      ...(bias ? [read("bias", type)] : []),
      ...(saves ? [write("statistics", layer ? "vec2f" : "f32")] : []),
      write("y", type),
    ],
    uniforms: [
      u32("rows", rows),
      u32("width", width),
      f32("columns", columns),
      f32("epsilon", epsilon),
    ],
    grid: rowGrid(rows, variant),
    // The variance is summed around the mean: the difference of two large sums would lose its digits.
    body: () =>
      `${rowMain(variant, type)}  let base = row * u.width;
${
        layer
          ? `  var sum = ${type}();
  for (var c = lane; c < u.width; c += STEP) { sum += x[base + c]; }
  let mean = row_sum(lanes_sum(sum), lane) / u.columns;
`
          : ""
      }  var squares = ${type}();
  for (var c = lane; c < u.width; c += STEP) {
    let d = x[base + c]${layer ? " - mean" : ""};
    squares += d * d;
  }
  let rstd = inverseSqrt(row_sum(lanes_sum(squares), lane) / u.columns + u.epsilon);
${
        saves
          ? `  if (lane == 0u) { statistics[row] = ${layer ? "vec2f(mean, rstd)" : "rstd"}; }\n`
          : ""
      }  for (var c = lane; c < u.width; c += STEP) { y[base + c] = ${result}; }
}`,
  };
}

/** WGSL that loads the statistics of a row. */
const loadStatistics = (layer: boolean, row: string) =>
  layer
    ? `let mean = statistics[${row}].x; let rstd = statistics[${row}].y;`
    : `let rstd = statistics[${row}];`;

/**
 * Gradient with respect to x: with g = dy * weight and n the normalised x, dx = rstd * (g - mean(g) - n * mean(g * n)); without the mean(g) for
 * `rms`.
 */
export function normBackwardInputKernel(problem: NormProblem, variant: RowVariant): Kernel {
  const { kind, rows, columns, weight } = problem;
  const { type, width } = rowType(columns);
  const layer = kind === "layer";
  const load = `    let n = (x[base + c]${layer ? " - mean" : ""}) * rstd;
    let g = dy[base + c]${weight ? " * weight[c]" : ""};`;
  return {
    name: `${kind}_norm_bwd_x_${variant}`,
    key: `${type}${weight ? " weight" : ""}`,
    bindings: [
      read("dy", type),
      read("x", type),
      ...(weight ? [read("weight", type)] : []),
      read("statistics", layer ? "vec2f" : "f32"),
      write("dx", type),
    ],
    uniforms: [u32("rows", rows), u32("width", width), f32("columns", columns)],
    grid: rowGrid(rows, variant),
    body: () =>
      `${rowMain(variant, type)}  let base = row * u.width;
  ${loadStatistics(layer, "row")}
  var sum_g = ${type}();
  var sum_gn = ${type}();
  for (var c = lane; c < u.width; c += STEP) {
${load}
    sum_g += g;
    sum_gn += g * n;
  }
${layer ? "  let mean_g = row_sum(lanes_sum(sum_g), lane) / u.columns;\n" : ""}` +
      `  let mean_gn = row_sum(lanes_sum(sum_gn), lane) / u.columns;
  for (var c = lane; c < u.width; c += STEP) {
${load}
    dx[base + c] = rstd * (g${layer ? " - mean_g" : ""} - n * mean_gn);
  }
}`,
  };
}

/**
 * Gradients of weight and bias as partial sums over chunks of rows: dweight = sum dy * n and dbias = sum dy, each [chunks, columns].
 */
export function normBackwardWeightKernel(problem: NormProblem): Kernel {
  const { kind, rows, columns, bias } = problem;
  const { type, width } = rowType(columns);
  const layer = kind === "layer";
  const chunks = Math.ceil(rows / NORM_ROWS_PER_CHUNK);
  return {
    name: `${kind}_norm_bwd_weight`,
    key: `${type}${bias ? " bias" : ""}`,
    bindings: [
      read("dy", type),
      read("x", type),
      read("statistics", layer ? "vec2f" : "f32"),
      write("dweight", type),
      ...(bias ? [write("dbias", type)] : []),
    ],
    uniforms: [u32("rows", rows), u32("width", width), u32("count", chunks * width)],
    grid: linearGrid(Math.ceil(chunks * width / WORKGROUP)),
    body: () =>
      `${linearMain(WORKGROUP)}
  if (i >= u.count) { return; }
  let column = i % u.width;
  let first = (i / u.width) * ${NORM_ROWS_PER_CHUNK}u;
  let end = min(first + ${NORM_ROWS_PER_CHUNK}u, u.rows);
  var sum_gn = ${type}();
${bias ? `  var sum_g = ${type}();\n` : ""}  for (var row = first; row < end; row++) {
    ${loadStatistics(layer, "row")}
    let g = dy[row * u.width + column];
    sum_gn += g * ((x[row * u.width + column]${layer ? " - mean" : ""}) * rstd);
${bias ? "    sum_g += g;\n" : ""}  }
  dweight[i] = sum_gn;
${bias ? "  dbias[i] = sum_g;\n" : ""}}`,
  };
}
