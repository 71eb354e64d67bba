import { ShapeError, showShape, type Tensor } from "../../engine/mod.ts";
import type { OperandLayout } from "./kernels_problem.ts";

/** Query, key and value as separate tensors. */
export interface SeparateInput {
  /** [B, Tq, H, d] or [B, Tq, D]. */
  readonly q: Tensor;
  /** [B, Tk, H, d] or [B, Tk, D]. */
  readonly k: Tensor;
  /** As k. */
  readonly v: Tensor;
}

/** The packed projection [B, T, 3, H, d] or [B, T, 3D] (q, k, v in this order), or separate tensors. */
export type AttentionInput = Tensor | SeparateInput;

/** Where q, k and v are, whatever form they came in. */
export interface AttentionOperands {
  readonly B: number;
  readonly H: number;
  readonly Tq: number;
  readonly Tk: number;
  readonly d: number;
  /** Buffers to bind; the same tensor three times when packed. */
  readonly tensors: SeparateInput;
  readonly layouts: {
    readonly q: OperandLayout;
    readonly k: OperandLayout;
    readonly v: OperandLayout;
  };
  /** Differentiable inputs: one when packed, else three. */
  readonly inputs: readonly Tensor[];
  readonly packed: boolean;
  /** [B, Tq, D] for inputs of rank 3, else [B, Tq, H, d]. */
  readonly outputShape: readonly number[];
}

/**
 * Reads sizes and strides from either form of input.
 *
 * @param heads Number of heads; may be left out when the shapes have a head dimension.
 * @throws {ShapeError} If the shapes do not fit each other or the number of heads.
 */
export function attentionOperands(input: AttentionInput, heads?: number): AttentionOperands {
  return "q" in input ? separateOperands(input, heads) : packedOperands(input, heads);
}

function packedOperands(qkv: Tensor, heads?: number): AttentionOperands {
  const { shape } = qkv;
  const H = shape.length === 5 ? shape[3] : heads ?? 0;
  const d = shape.length === 5 ? shape[4] : shape[2] / 3 / H;
  const fits = shape.length === 5
    ? shape[2] === 3 && (heads ?? H) === H
    : shape.length === 3 && Number.isInteger(d);
  if (!fits || !(qkv.size > 0)) {
    throw new ShapeError(
      `Cannot attend: packed input is ${
        showShape(shape)
      } with ${heads} heads, expected a non-empty ` +
        `[B, T, 3, H, d] or [B, T, 3 * H * d]; pass { heads }, or { q, k, v } for separate tensors`,
    );
  }
  const [B, T] = shape;
  const D = H * d;
  const layout = (part: number) => ({ offset: part * D, row: 3 * D, batch: T * 3 * D });
  return {
    B,
    H,
    Tq: T,
    Tk: T,
    d,
    tensors: { q: qkv, k: qkv, v: qkv },
    layouts: { q: layout(0), k: layout(1), v: layout(2) },
    inputs: [qkv],
    packed: true,
    outputShape: shape.length === 3 ? [B, T, D] : [B, T, H, d],
  };
}

function separateOperands({ q, k, v }: SeparateInput, heads?: number): AttentionOperands {
  const [B, Tq] = q.shape;
  const Tk = k.shape[1];
  const H = q.rank === 4 ? q.shape[2] : heads ?? 0;
  const d = q.rank === 4 ? q.shape[3] : q.shape[2] / H;
  const expected = q.rank === 4 ? [B, Tk, H, d] : [B, Tk, H * d];
  const fits = (t: Tensor) =>
    t.rank === expected.length && expected.every((n, axis) => t.shape[axis] === n);
  if (
    !(q.rank === 3 || q.rank === 4) || !Number.isInteger(d) || (heads ?? H) !== H || !fits(k) ||
    !fits(v) || !(q.size > 0 && k.size > 0)
  ) {
    throw new ShapeError(
      `Cannot attend: q is ${showShape(q.shape)}, k ${showShape(k.shape)}, v ${
        showShape(v.shape)
      } with ${heads} heads, expected non-empty [B, Tq, H, d], [B, Tk, H, d] twice, or the same with ` +
        `H * d as one dimension and { heads }`,
    );
  }
  const layout = (T: number) => ({ offset: 0, row: H * d, batch: T * H * d });
  return {
    B,
    H,
    Tq,
    Tk,
    d,
    tensors: { q, k, v },
    layouts: { q: layout(Tq), k: layout(Tk), v: layout(Tk) },
    inputs: [q, k, v],
    packed: false,
    outputShape: q.shape,
  };
}
