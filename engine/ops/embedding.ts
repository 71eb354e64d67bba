import { ShapeError } from "../errors.ts";
import { showShape, type Tensor } from "../tensor.ts";
import { gather } from "./gather.ts";

/**
 * Rows of an embedding table: ids [...] give [..., D].
 *
 * The gradient is dense [V, D] and sums the rows of each id in order of position, so it does not vary from run to run. Ids outside
 * [0, V) read the nearest row: the GPU cannot throw, so check ids where they are made.
 *
 * @param table f32 [V, D].
 * @param ids i32 tensor of any shape.
 * @throws {ShapeError} If the table is not a matrix.
 * @throws {TypeError} If `ids` are not i32.
 */
export function embedding(table: Tensor, ids: Tensor): Tensor {
  if (table.rank !== 2) {
    throw new ShapeError(
      `Cannot embed by a table of shape ${showShape(table.shape)}: expected [V, D]`,
    );
  }
  return gather(table, 0, ids);
}
