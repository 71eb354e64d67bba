import { ShapeError } from "../errors.ts";
import { showShape, type Tensor } from "../tensor.ts";
import { cutBox, placeBox } from "./copy_box.ts";

/**
 * Tensors one after another along an axis; all other sizes are equal.
 *
 * @param axis Negative counts from the end.
 * @throws {ShapeError} If there are no tensors, the axis is out of range or other sizes differ.
 * @throws {TypeError} If the element types differ.
 */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  if (tensors.length === 0) {
    throw new ShapeError("Cannot concatenate 0 tensors: expected one or more");
  }
  const [first] = tensors;
  first.dim(axis);
  const at = axis < 0 ? axis + first.rank : axis;
  for (const t of tensors) {
    if (t.dtype !== first.dtype) {
      throw new TypeError(`Cannot concatenate ${first} and ${t}: the element types differ`);
    }
    if (t.rank !== first.rank || t.shape.some((n, k) => k !== at && n !== first.shape[k])) {
      throw new ShapeError(
        `Cannot concatenate ${showShape(first.shape)} and ${
          showShape(t.shape)
        } along axis ${at}: ` +
          `expected equal sizes on every other axis`,
      );
    }
  }
  const total = tensors.reduce((sum, t) => sum + t.shape[at], 0);
  const output = first.gpu.empty(first.shape.with(at, total), first.dtype);
  const starts: number[][] = [];
  let start = 0;
  for (const t of tensors) {
    starts.push(first.shape.map((_, k) => k === at ? start : 0));
    placeBox(t, output, starts.at(-1)!);
    start += t.shape[at];
  }
  return first.gpu.record({
    op: "concat",
    inputs: tensors,
    output,
    backward: (gradient, needs) =>
      tensors.map((t, i) => needs[i] ? cutBox(gradient, starts[i], t.shape) : undefined),
  });
}
