import { ROWS_PER_CHUNK, sumRowsKernel } from "../kernels/sum_rows.ts";
import type { Tensor } from "../tensor.ts";

/** Sums x, read as [x.size / columns, columns], over its rows: [columns]. Not recorded; the gradient of broadcast vectors. */
export function sumRows(x: Tensor, columns: number): Tensor {
  const gpu = x.gpu;
  let current = x;
  let rows = x.size / columns;
  do {
    const chunks = Math.ceil(rows / ROWS_PER_CHUNK);
    const next = gpu.empty(chunks === 1 ? [columns] : [chunks, columns], "f32", "workspace");
    gpu.run(sumRowsKernel(rows, columns, ROWS_PER_CHUNK), [current, next]);
    if (current !== x) current.dispose();
    current = next;
    rows = chunks;
  } while (rows > 1);
  return current;
}
