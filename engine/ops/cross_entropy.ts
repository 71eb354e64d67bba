import { ShapeError } from "../errors.ts";
import { showShape, type Tensor } from "../tensor.ts";
import {
  checkTargets,
  type CrossEntropyOptions,
  meanLoss,
  runCrossEntropy,
  scaleInPlace,
  targetWeight,
} from "./target_loss.ts";

/**
 * Softmax cross-entropy of logits [..., C] with targets [...], in nats. Meant for classification heads; a language-model head is better
 * served by `linearCrossEntropy`, which never holds all logits.
 *
 * A target outside [0, C) that is not `ignoreIndex` makes the loss NaN: the GPU cannot throw, and the mistake must not pass unseen.
 *
 * @param logits f32 [..., C].
 * @param targets i32, one per row.
 * @returns A scalar, or one loss per target (0 where ignored) for reduction "none".
 * @throws {ShapeError} If there are no classes or the number of targets differs.
 * @throws {TypeError} If targets are not i32, or reduction "none" is to be differentiated.
 * @throws {RangeError} If an option is out of range.
 */
export function crossEntropy(
  logits: Tensor,
  targets: Tensor,
  options: CrossEntropyOptions = {},
): Tensor {
  const { ignoreIndex = -1, labelSmoothing = 0, reduction = "mean" } = options;
  const gpu = logits.gpu;
  if (logits.rank === 0 || logits.dim(-1) === 0) {
    throw new ShapeError(
      `Cannot take crossEntropy: logits are ${showShape(logits.shape)}, expected [..., classes]`,
    );
  }
  const classes = logits.dim(-1);
  const rows = logits.size / classes;
  const recording = gpu.isRecording(logits);
  checkTargets("crossEntropy", targets, rows, options, recording);
  const losses = gpu.empty(targets.shape);
  const weight = reduction === "mean" ? targetWeight(targets, ignoreIndex) : undefined;
  const gradient = recording ? gpu.empty(logits.shape) : undefined;
  runCrossEntropy({
    rows,
    classes,
    firstRow: 0,
    ignoreIndex,
    labelSmoothing,
    gradient: recording ? "separate" : "none",
  }, { logits, targets, losses, weight, gradient });
  if (!weight) return losses;
  const output = meanLoss(losses, weight);
  losses.dispose();
  weight.dispose();
  if (!gradient) return output;
  return gpu.record({
    op: "crossEntropy",
    inputs: [logits],
    output,
    saved: [gradient],
    backward: (upstream) => {
      scaleInPlace(gradient, upstream);
      return [gradient.view(logits.shape)];
    },
  });
}
