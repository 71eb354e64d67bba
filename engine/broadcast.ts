import { ShapeError } from "./errors.ts";
import type { Access, ElementwisePlan } from "./kernels/elementwise.ts";
import { type Shape, showShape, sizeOf } from "./tensor.ts";

/** Most dimensions that broadcasting takes. */
export const MAX_BROADCAST_RANK = 6;

/**
 * Shape of an elementwise result by NumPy's rule: shapes are aligned at the last dimension, and a dimension of 1 (or a missing one)
 * is repeated.
 *
 * @throws {ShapeError} If two sizes differ and neither is 1, or the rank is over `MAX_BROADCAST_RANK`.
 */
export function broadcastShape(shapes: readonly Shape[]): number[] {
  const rank = Math.max(...shapes.map((s) => s.length));
  if (rank > MAX_BROADCAST_RANK) {
    throw new ShapeError(
      `Cannot broadcast ${
        shapes.map(showShape).join(" with ")
      }: the rank is ${rank}, expected at most ${MAX_BROADCAST_RANK}`,
    );
  }
  return Array.from({ length: rank }, (_, axis) => {
    let size = 1;
    for (const shape of shapes) {
      const n = shape[axis - rank + shape.length] ?? 1;
      if (n === 1 || n === size) continue;
      if (size !== 1) {
        throw new ShapeError(
          `Cannot broadcast ${
            shapes.map(showShape).join(" with ")
          }: dimension ${axis} is ${size} and ${n}, expected equal sizes or 1`,
        );
      }
      size = n;
    }
    return size;
  });
}

/** A run of neighbouring axes that an operand has in full, or is repeated over. */
export interface AxisGroup {
  readonly size: number;
  readonly repeated: boolean;
}

/** Axes of `shape` as seen by an operand, neighbours of one kind merged, axes of size 1 left out. */
export function axisGroups(shape: Shape, operand: Shape): AxisGroup[] {
  const groups: { size: number; repeated: boolean }[] = [];
  for (let axis = 0; axis < shape.length; axis++) {
    if (shape[axis] === 1) continue;
    const repeated = (operand[axis - shape.length + operand.length] ?? 1) === 1;
    const last = groups.at(-1);
    if (last && last.repeated === repeated) last.size *= shape[axis];
    else groups.push({ size: shape[axis], repeated });
  }
  return groups;
}

/** Chooses vector width and addressing of an elementwise kernel with an output of `shape`. */
export function elementwisePlan(shape: Shape, operands: readonly Shape[]): ElementwisePlan {
  const count = sizeOf(shape);
  const simple = operands.map((operand) => simpleAccess(axisGroups(shape, operand)));
  if (simple.some((access) => access === undefined)) return stridedPlan(shape, operands);
  const accesses = simple as Access[];
  const vector = accesses.every((access) =>
    access.mode === "same" ||
    access.mode === "row" && access.period % 4 === 0 ||
    // The last vec4 of a tensor that is one repeated value may run over its end; all its lanes are that value.
    access.mode === "column" && (access.inner % 4 === 0 || access.inner === count)
  );
  if (!vector) return { type: "f32", count, sizes: [], operands: accesses };
  const quarter = (access: Access): Access =>
    access.mode === "row"
      ? { ...access, period: access.period / 4 }
      : access.mode === "column"
      ? { ...access, inner: Math.ceil(access.inner / 4) }
      : access;
  return {
    type: "vec4f",
    count: Math.ceil(count / 4),
    sizes: [],
    operands: accesses.map(quarter),
  };
}

function simpleAccess(groups: readonly AxisGroup[]): Access | undefined {
  if (groups.every((g) => !g.repeated)) return { mode: "same" };
  const full = groups.filter((g) => !g.repeated);
  if (full.length > 1) return undefined;
  const period = full.length === 1 ? full[0].size : 1;
  const last = groups[groups.length - 1];
  return last.repeated ? { mode: "column", inner: last.size, period } : { mode: "row", period };
}

function stridedPlan(shape: Shape, operands: readonly Shape[]): ElementwisePlan {
  const sizes: number[] = [];
  const kinds: string[] = [];
  for (let axis = 0; axis < shape.length; axis++) {
    if (shape[axis] === 1) continue;
    const kind = operands.map((o) => +((o[axis - shape.length + o.length] ?? 1) !== 1)).join("");
    if (kinds.at(-1) === kind) sizes[sizes.length - 1] *= shape[axis];
    else {
      sizes.push(shape[axis]);
      kinds.push(kind);
    }
  }
  const last = sizes.length - 1;
  const vector = sizes[last] % 4 === 0 && !kinds[last].includes("0");
  const unit = vector ? 4 : 1;
  sizes[last] /= unit;
  const accesses = operands.map((_, o): Access => {
    const strides: number[] = new Array(sizes.length);
    let stride = 1;
    for (let axis = last; axis >= 0; axis--) {
      const full = kinds[axis][o] === "1";
      strides[axis] = full ? stride : 0;
      if (full) stride *= sizes[axis];
    }
    return { mode: "strided", strides };
  });
  return {
    type: vector ? "vec4f" : "f32",
    count: sizeOf(shape) / unit,
    sizes,
    operands: accesses,
  };
}
