import { ShapeError } from "../errors.ts";
import { groupMaskKernel } from "../kernels/group_mask.ts";
import { showShape, type Tensor } from "../tensor.ts";

/**
 * The key mask of a sequence whose neighbouring positions were merged: a group is real when any of its positions is.
 *
 * @param mask i32 [B, T], 1 for real positions.
 * @param size Positions of a group; divides T.
 * @returns i32 [B, T / size].
 * @throws {ShapeError} If `size` does not divide T.
 */
export function groupMask(mask: Tensor, size: number): Tensor {
  const [batch, length] = mask.shape;
  if (mask.dtype !== "i32" || mask.rank !== 2 || length % size !== 0) {
    throw new ShapeError(
      `Cannot group the mask ${mask.dtype} ${
        showShape(mask.shape)
      }: expected i32 [B, T] with T a multiple of ${size}`,
    );
  }
  const output = mask.gpu.empty([batch, length / size], "i32");
  mask.gpu.run(groupMaskKernel(output.size, size), [mask, output]);
  return output;
}
