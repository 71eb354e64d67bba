import { broadcastShape, type Shape, sizeOf } from "../../engine/mod.ts";

/** Applies `f` to broadcast operands in float64, element by element, from the definition of broadcasting. */
export function broadcastReference(
  shapes: readonly Shape[],
  operands: readonly Float64Array[],
  f: (...values: number[]) => number,
): Float64Array {
  const shape = broadcastShape(shapes);
  const result = new Float64Array(sizeOf(shape));
  for (let i = 0; i < result.length; i++) {
    const coordinates = new Array<number>(shape.length);
    for (let axis = shape.length - 1, rest = i; axis >= 0; axis--) {
      coordinates[axis] = rest % shape[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    const values = operands.map((operand, o) => {
      let offset = 0;
      shapes[o].forEach((n, axis) => {
        const c = coordinates[axis + shape.length - shapes[o].length];
        offset = offset * n + (n === 1 ? 0 : c);
      });
      return operand[offset];
    });
    result[i] = f(...values);
  }
  return result;
}
