import { type Kernel, linearGrid, linearMain, read, u32, write } from "../kernel.ts";

const WORKGROUP = 8;
/** Rows one thread adds up; the partial sums are added in a second pass of the same kernel, in a fixed order. */
export const ROWS_PER_CHUNK = 64;

/**
 * Column sums of x [rows, columns] over chunks of rows: y [chunks, columns]. A thread owns four columns of one chunk, so the
 * order of additions never depends on the adapter.
 */
export function sumRowsKernel(rows: number, columns: number, rowsPerChunk: number): Kernel {
  const vector = columns % 4 === 0;
  const type = vector ? "vec4f" : "f32";
  const width = vector ? columns / 4 : columns;
  const chunks = Math.ceil(rows / rowsPerChunk);
  return {
    name: "sum_rows",
    key: type,
    bindings: [read("x", type), write("y", type)],
    uniforms: [
      u32("rows", rows),
      u32("width", width),
      u32("chunks", chunks),
      u32("rowsPerChunk", rowsPerChunk),
    ],
    grid: linearGrid(Math.ceil(width * chunks / WORKGROUP)),
    body: () =>
      `${linearMain(WORKGROUP)}
  if (i >= u.width * u.chunks) { return; }
  let column = i % u.width;
  let chunk = i / u.width;
  let end = min((chunk + 1u) * u.rowsPerChunk, u.rows);
  var sum = ${type}();
  for (var row = chunk * u.rowsPerChunk; row < end; row++) { sum += x[row * u.width + column]; }
  y[i] = sum;
}`,
  };
}
