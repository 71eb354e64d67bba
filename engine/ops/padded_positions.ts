import { ShapeError } from "../errors.ts";
import { paddedPositionsKernel } from "../kernels/padded_positions.ts";
import { showShape, type Tensor } from "../tensor.ts";

/**
 * Position ids of RoBERTa: token t gets padId plus the number of tokens up to and with it that are not padding; padding gets padId.
 *
 * @param ids i32 [B, T].
 * @param padId Id of padding.
 * @returns i32 [B, T].
 * @throws {ShapeError} If the ids are not an i32 matrix.
 */
export function paddedPositions(ids: Tensor, padId: number): Tensor {
  if (ids.dtype !== "i32" || ids.rank !== 2) {
    throw new ShapeError(
      `Cannot count positions: ids are ${ids.dtype} ${showShape(ids.shape)}, expected i32 [B, T]`,
    );
  }
  const output = ids.gpu.empty(ids.shape, "i32");
  const [rows, T] = ids.shape;
  if (ids.size > 0) ids.gpu.run(paddedPositionsKernel(rows, T, padId), [ids, output]);
  return output;
}
