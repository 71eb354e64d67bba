import { type Gpu, type ParameterGroup, type ParameterSet, type Tensor } from "../engine/mod.ts";
import { adamwKernel } from "./kernels/adamw.ts";
import { clipFactorKernel, partialCount, sumOfSquaresKernel } from "./kernels/gradient_norm.ts";

/** Options of `AdamW`. */
export interface AdamWOptions {
  /** @default {0.9} */
  readonly beta1?: number;
  /** @default {0.999} */
  readonly beta2?: number;
  /** @default {1e-8} */
  readonly epsilon?: number;
  /** Applied to parameters declared with `decay`. @default {0.01} */
  readonly weightDecay?: number;
  /** Largest global norm of the gradients; `Infinity` turns clipping off. @default {Infinity} */
  readonly clipNorm?: number;
}

/** Largest finite f32; stands for "no limit" where the shader cannot hold infinity. */
const NO_LIMIT = 3.4e38;

interface GroupState {
  readonly group: ParameterGroup;
  readonly first: Tensor;
  readonly second: Tensor;
}

/**
 * AdamW (Loshchilov and Hutter 2019) over all parameters of a set: one dispatch a group, two more for the global norm, no read-back.
 *
 * @example
 * ```ts ignore
 * const optimizer = new AdamW(model.parameters, { clipNorm: 1 });
 * gpu.withTape((tape) => tape.backward(model.loss(batch)));
 * optimizer.step(5e-4);
 * ```
 */
export class AdamW {
  /** Updates done so far. */
  steps = 0;
  /** [factor on the gradients, global norm before clipping] of the last step, on the GPU. */
  readonly control: Tensor;
  readonly #gpu: Gpu;
  readonly options: Readonly<Required<AdamWOptions>>;
  readonly #states: GroupState[];
  readonly #partials: Tensor;

  constructor(readonly parameters: ParameterSet, options: AdamWOptions = {}) {
    const gpu = this.#gpu = parameters.gpu;
    this.options = {
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0.01,
      clipNorm: Infinity,
      ...options,
    };
    this.#states = parameters.groups.filter((group) => group.trainable).map((group) => ({
      group,
      first: gpu.zeros(group.values.shape, "f32", "optimizer").keep(),
      second: gpu.zeros(group.values.shape, "f32", "optimizer").keep(),
    }));
    const partials = this.#states.reduce(
      (sum, { group }) => sum + partialCount(group.values.size),
      0,
    );
    this.#partials = gpu.empty([partials], "f32", "optimizer").keep();
    this.control = gpu.full([2], 1, "f32", "optimizer").keep();
  }

  /**
   * Updates every trainable parameter from its gradient and marks the gradients as empty.
   *
   * @param learningRate Learning rate of this step.
   * @param gradientScale Factor on the gradients, 1 / (number of accumulated batches).
   */
  step(learningRate: number, gradientScale = 1): void {
    this.steps++;
    const { beta1, beta2, epsilon, weightDecay, clipNorm } = this.options;
    // A parameter that no gradient reached still counts: it decays and its moments fade, as in torch with zero gradients.
    for (const parameter of this.parameters) if (parameter.trainable) void parameter.gradient;
    let offset = 0;
    for (const { group } of this.#states) {
      this.#gpu.run(sumOfSquaresKernel(group.values.size, offset), [
        group.gradients!,
        this.#partials,
      ]);
      offset += partialCount(group.values.size);
    }
    this.#gpu.run(clipFactorKernel(offset, gradientScale, Math.min(clipNorm, NO_LIMIT)), [
      this.#partials,
      this.control,
    ]);
    for (const { group, first, second } of this.#states) {
      const call = {
        learningRate,
        beta1,
        beta2,
        epsilon,
        weightDecay: group.decay ? weightDecay : 0,
        correction1: 1 - beta1 ** this.steps,
        correction2: 1 - beta2 ** this.steps,
      };
      this.#gpu.run(adamwKernel(group.values.size, call), [
        group.gradients!,
        this.control,
        group.values,
        first,
        second,
      ]);
    }
    this.parameters.clearGradients();
  }

  /** First and second moments by parameter name, as views of the flat buffers; for checkpoints. */
  moments(): Map<string, { first: Tensor; second: Tensor }> {
    const result = new Map<string, { first: Tensor; second: Tensor }>();
    for (const { group, first, second } of this.#states) {
      for (const parameter of group.parameters) {
        const start = parameter.byteOffset / 4;
        result.set(parameter.name, {
          first: first.view(parameter.shape, start),
          second: second.view(parameter.shape, start),
        });
      }
    }
    return result;
  }

  /** Gives the moments' memory back. */
  dispose(): void {
    for (const { first, second } of this.#states) {
      first.dispose();
      second.dispose();
    }
    this.#partials.dispose();
    this.control.dispose();
  }
}
