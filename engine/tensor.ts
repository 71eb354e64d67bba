import { ShapeError, UseAfterFreeError } from "./errors.ts";
import type { Gpu } from "./gpu.ts";
import type { Storage } from "./memory.ts";

/** Element type of a tensor. Every type takes four bytes. */
export type DType = "f32" | "i32" | "u32";

/** Sizes from the outermost to the innermost dimension. A scalar is `[]`. */
export type Shape = readonly number[];

/** Number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** `[2, 3]` as messages print it. */
export function showShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

let nextId = 1;

/**
 * A contiguous, row-major array in GPU memory. It is a view: several tensors can share one storage (`reshape`, `view`), which
 * goes back to the pool when the last of them is disposed.
 */
export class Tensor {
  readonly id: number = nextId++;
  readonly size: number;
  /** True when a gradient has to flow into or through this tensor. */
  requiresGrad = false;
  #storage: Storage | undefined;
  #kept = false;

  /** @internal Made by `gpu.empty`, `gpu.tensor` and the operations. */
  constructor(
    readonly gpu: Gpu,
    readonly shape: Shape,
    readonly dtype: DType,
    storage: Storage | undefined,
    readonly byteOffset: number = 0,
  ) {
    this.size = sizeOf(shape);
    this.#storage = storage;
  }

  /** Bytes of the elements. */
  get byteLength(): number {
    return this.size * 4;
  }

  /** Number of dimensions. */
  get rank(): number {
    return this.shape.length;
  }

  /** Size of dimension `axis`; negative counts from the end. */
  dim(axis: number): number {
    const i = axis < 0 ? axis + this.rank : axis;
    if (i < 0 || i >= this.rank) {
      throw new ShapeError(
        `Cannot take dimension ${axis}: the tensor's shape is ${showShape(this.shape)}`,
      );
    }
    return this.shape[i];
  }

  /** @internal The memory behind the tensor. */
  get storage(): Storage {
    if (!this.#storage) throw new UseAfterFreeError(`a tensor of shape ${showShape(this.shape)}`);
    return this.#storage;
  }

  get isDisposed(): boolean {
    return this.#storage === undefined;
  }

  get isKept(): boolean {
    return this.#kept;
  }

  /** @internal Gives a tensor declared without memory its place (parameters are placed together once all are known). */
  protected place(storage: Storage): void {
    this.#storage = storage;
  }

  /** Exempts the tensor from the scope that made it and from `backward`; the caller then disposes it. */
  keep(): this {
    this.#kept = true;
    return this;
  }

  /** Releases this view; safe to call twice. */
  dispose(): void {
    if (!this.#storage) return;
    const storage = this.#storage;
    this.#storage = undefined;
    this.gpu.releaseStorage(storage);
  }

  /**
   * Another view of the same memory. Not recorded on the tape: use the `reshape` operation where a gradient has to flow.
   *
   * @param shape Shape of the view.
   * @param elementOffset First element of the view, relative to this tensor.
   */
  view(shape: Shape, elementOffset = 0): Tensor {
    const size = sizeOf(shape);
    if (elementOffset < 0 || elementOffset + size > this.size) {
      throw new ShapeError(
        `Cannot view ${showShape(shape)} at element ${elementOffset}: the tensor ${
          showShape(this.shape)
        } has only ` +
          `${this.size} elements`,
      );
    }
    return this.gpu.viewOf(this, shape, this.byteOffset + elementOffset * 4);
  }

  toString(): string {
    return `Tensor(${this.dtype}${showShape(this.shape)})`;
  }
}
