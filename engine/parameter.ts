import type { Gpu } from "./gpu.ts";
import type { Storage } from "./memory.ts";
import { addInto } from "./ops/accumulate.ts";
import { type Shape, Tensor } from "./tensor.ts";

/** A named, trainable tensor. It and its gradient are views into the flat buffers of a `ParameterSet`. */
export class Parameter extends Tensor {
  /** False freezes it: no gradient is computed and no optimizer touches it. */
  readonly trainable: boolean;
  /** Whether weight decay applies (matrices yes, biases and norms no). */
  readonly decay: boolean;
  #gradient: Tensor | undefined;
  /** False until the first gradient of a step arrives, which then overwrites instead of adding. */
  #hasGradient = false;

  constructor(
    gpu: Gpu,
    readonly name: string,
    shape: Shape,
    options: { decay: boolean; trainable: boolean },
    byteOffset: number,
  ) {
    super(gpu, shape, "f32", undefined, byteOffset);
    this.decay = options.decay;
    this.trainable = options.trainable;
    this.requiresGrad = options.trainable;
  }

  /** The gradient of the last backward pass; same shape. Zero-filled when none has arrived since `clearGradient`. */
  get gradient(): Tensor {
    if (!this.#gradient) {
      throw new TypeError(`Cannot take the gradient of ${this.name}: it is not trainable`);
    }
    if (!this.#hasGradient) {
      this.gpu.fill(this.#gradient, 0);
      this.#hasGradient = true;
    }
    return this.#gradient;
  }

  get hasGradient(): boolean {
    return this.#hasGradient;
  }

  /** @internal */
  placeAt(storage: Storage, gradient: Tensor | undefined): void {
    this.place(storage);
    this.#gradient = gradient;
  }

  /** Adds `g` to the gradient (overwrites the first time after `clearGradient`). */
  accumulate(g: Tensor): void {
    if (!this.#gradient) return;
    addInto(this.#gradient, g, this.#hasGradient ? "add" : "copy");
    this.#hasGradient = true;
  }

  /** Marks the gradient as empty; costs no dispatch. */
  clearGradient(): void {
    this.#hasGradient = false;
  }
}
