/** What `crossEntropy` and `linearCrossEntropy` share: options, checks and the choice of kernel. */
import { ShapeError } from "../errors.ts";
import type { Gpu } from "../gpu.ts";
import {
  crossEntropyKernel,
  type CrossEntropyRows,
  type RowThreads,
} from "../kernels/cross_entropy.ts";
import { scaleByTensorKernel } from "../kernels/scale_by_tensor.ts";
import { targetWeightKernel, weightedSumKernel } from "../kernels/target_mean.ts";
import { showShape, type Tensor } from "../tensor.ts";

/** Options of the cross-entropy losses. */
export interface CrossEntropyOptions {
  /** Target of rows that count neither in the loss nor in the mean. @default {-1} */
  readonly ignoreIndex?: number;
  /** Share of the target distribution spread evenly over all classes, in [0, 1). @default {0} */
  readonly labelSmoothing?: number;
  /** Mean over the rows that are not ignored (0 when all are), or the loss of every row, which has no gradient. @default {"mean"} */
  readonly reduction?: "mean" | "none";
}

/** Key of `gpu.choices`: threads per row of logits, "1", "8", "64" or "256". */
export const CROSS_ENTROPY_CHOICE = "cross_entropy.row_threads";

/** A thread per row is fastest on software adapters unless rows are few; GPUs want a workgroup per row. */
function rowThreads(gpu: Gpu, rows: number, classes: number): RowThreads {
  const choice = gpu.choices.get(CROSS_ENTROPY_CHOICE);
  if (choice) return Number(choice) as RowThreads;
  if (gpu.info.class === "hardware") return classes >= 2048 ? 256 : 64;
  return rows < 32 ? 8 : 1;
}

/** Checks options and targets; throws with the caller's name. */
export function checkTargets(
  op: string,
  targets: Tensor,
  rows: number,
  options: CrossEntropyOptions,
  needsGradient: boolean,
): void {
  const { ignoreIndex = -1, labelSmoothing = 0, reduction = "mean" } = options;
  if (targets.dtype !== "i32") {
    throw new TypeError(`Cannot take ${op}: targets are ${targets.dtype}, expected i32`);
  }
  if (targets.size !== rows) {
    throw new ShapeError(
      `Cannot take ${op}: targets are ${showShape(targets.shape)}, expected ${rows} of them`,
    );
  }
  if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
    throw new RangeError(
      `Cannot take ${op}: labelSmoothing is ${labelSmoothing}, expected a number in [0, 1)`,
    );
  }
  if ((ignoreIndex | 0) !== ignoreIndex) {
    throw new RangeError(
      `Cannot take ${op}: ignoreIndex is ${ignoreIndex}, expected a 32-bit integer`,
    );
  }
  if (reduction === "none" && needsGradient) {
    throw new TypeError(
      `Cannot differentiate ${op} with reduction "none"; use "mean", or run it without a tape`,
    );
  }
}

/** weight [1]: 1 / (targets that count), or 0. */
export function targetWeight(targets: Tensor, ignoreIndex: number): Tensor {
  const weight = targets.gpu.empty([1], "f32", "workspace");
  targets.gpu.run(targetWeightKernel(targets.size, ignoreIndex), [targets, weight]);
  return weight;
}

/** The mean [] of losses [N]. */
export function meanLoss(losses: Tensor, weight: Tensor): Tensor {
  const mean = losses.gpu.empty([]);
  losses.gpu.run(weightedSumKernel(losses.size), [losses, weight, mean]);
  return mean;
}

/** Runs the loss kernel on a block of rows. */
export function runCrossEntropy(
  problem: CrossEntropyRows,
  tensors: {
    logits: Tensor;
    targets: Tensor;
    losses: Tensor;
    weight?: Tensor;
    gradient?: Tensor;
  },
): void {
  if (problem.rows === 0) return;
  const { logits, targets, losses, weight, gradient } = tensors;
  const gpu = logits.gpu;
  const kernel = crossEntropyKernel(problem, rowThreads(gpu, problem.rows, problem.classes));
  const list = [logits, targets, losses];
  if (problem.gradient !== "none") list.push(weight!);
  if (problem.gradient === "separate") list.push(gradient!);
  gpu.run(kernel, list);
}

/** Multiplies a gradient made during the forward pass by the upstream scalar, in place. */
export function scaleInPlace(gradient: Tensor, factor: Tensor): void {
  if (gradient.size > 0) {
    gradient.gpu.run(scaleByTensorKernel(gradient.size), [factor, gradient]);
  }
}
