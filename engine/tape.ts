import type { Gpu } from "./gpu.ts";
import { addInto } from "./ops/accumulate.ts";
import { ShapeError } from "./errors.ts";
import { showShape, type Tensor } from "./tensor.ts";
import { Parameter } from "./parameter.ts";

/** What an operation tells the tape. */
export interface Recorded {
  /** Name of the operation, for messages. */
  readonly op: string;
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  /** Tensors that only `backward` needs; released after it. */
  readonly saved?: readonly Tensor[];
  /**
   * Gradients of the inputs, in their order; `undefined` where `needs[i]` is false. It may return the upstream gradient itself
   * (once or more), never an input.
   */
  readonly backward: (
    gradient: Tensor,
    needs: readonly boolean[],
  ) => readonly (Tensor | undefined)[];
}

/**
 * Reverse-mode automatic differentiation over recorded operations. `backward` walks them last to first and frees each output and
 * saved tensor as soon as nothing earlier can need it, which is why the peak of a step lies at its loss.
 */
export class Tape {
  #nodes: Recorded[] = [];

  constructor(private readonly gpu: Gpu) {}

  /** @internal Called by operations through `Gpu.record`. */
  record(node: Recorded): void {
    node.output.requiresGrad = true;
    this.#nodes.push(node);
  }

  /** Number of recorded operations. */
  get length(): number {
    return this.#nodes.length;
  }

  /**
   * Adds d(loss)/d(parameter) to the gradient of every parameter the loss depends on and empties the tape.
   *
   * @param loss Scalar, or any shape if `upstream` is given.
   * @param upstream Gradient of the outcome with respect to `loss`; 1 for a scalar.
   * @param wanted Non-parameter tensors whose gradients are returned, in this order (`undefined` where none arrived).
   */
  backward(
    loss: Tensor,
    upstream?: Tensor,
    wanted: readonly Tensor[] = [],
  ): (Tensor | undefined)[] {
    if (!upstream && loss.size !== 1) {
      throw new ShapeError(
        `Cannot start backward from shape ${
          showShape(loss.shape)
        }: expected a scalar loss; pass the upstream gradient`,
      );
    }
    const nodes = this.#nodes;
    this.#nodes = [];
    return this.gpu.withoutTape(() => {
      const gradients = new Map<number, Tensor>();
      const wantedIds = new Set(wanted.map((t) => t.id));
      gradients.set(loss.id, upstream ? upstream.view(loss.shape) : this.gpu.full(loss.shape, 1));
      for (let i = nodes.length - 1; i >= 0; i--) {
        const node = nodes[i];
        const gradient = gradients.get(node.output.id);
        if (gradient) {
          this.#step(node, gradient, gradients);
          if (!wantedIds.has(node.output.id)) {
            gradients.delete(node.output.id);
            gradient.dispose();
          }
        }
        if (node.output !== loss && !node.output.isKept) node.output.dispose();
        node.saved?.forEach((t) => t.isKept || t.dispose());
      }
      return wanted.map((t) => gradients.get(t.id));
    });
  }

  #step(node: Recorded, gradient: Tensor, gradients: Map<number, Tensor>): void {
    const needs = node.inputs.map((t) => t.requiresGrad);
    const results = node.backward(gradient, needs);
    results.forEach((result, i) => {
      if (!result || !needs[i]) return;
      const input = node.inputs[i];
      if (result.size !== input.size) {
        throw new ShapeError(
          `Cannot add the gradient of ${node.op}: input ${i} is ${
            showShape(input.shape)
          }, its gradient ` +
            `${showShape(result.shape)}`,
        );
      }
      if (input instanceof Parameter) {
        input.accumulate(result);
        if (result !== gradient) result.dispose();
        return;
      }
      const sum = gradients.get(input.id);
      if (!sum) {
        // The upstream gradient is disposed after this step, so a result that is the upstream itself needs a view of its own.
        gradients.set(input.id, result === gradient ? gradient.view(input.shape) : result);
      } else if (sum.storage.refs === 1) {
        addInto(sum, result);
        if (result !== gradient) result.dispose();
      } else {
        const fresh = this.gpu.empty(input.shape);
        addInto(fresh, sum, "copy");
        addInto(fresh, result);
        sum.dispose();
        if (result !== gradient) result.dispose();
        gradients.set(input.id, fresh);
      }
    });
  }
}
