import { ShapeError } from "../errors.ts";
import type { Gpu } from "../gpu.ts";
import { showShape, type Tensor } from "../tensor.ts";
import { addInto } from "./accumulate.ts";
import { gemm } from "./gemm.ts";
import { sumRows } from "./sum_rows.ts";
import {
  checkTargets,
  type CrossEntropyOptions,
  meanLoss,
  runCrossEntropy,
  scaleInPlace,
  targetWeight,
} from "./target_loss.ts";

/** Options of `linearCrossEntropy`. */
export interface LinearCrossEntropyOptions extends CrossEntropyOptions {
  /** Row vector [V] added to the logits. */
  readonly bias?: Tensor;
  /** Rows of logits held at a time, rounded up to what the adapter can address. Chosen from V when missing. */
  readonly chunkRows?: number;
}

/** Logits held at a time, in bytes. */
const WORKSPACE_BYTES = 8 << 20;
/** Fewer rows than this waste the matrix product. */
const MIN_CHUNK_ROWS = 64;

/**
 * Softmax cross-entropy of a linear head: logits x W^T + bias against integer targets, in nats.
 *
 * Logits exist for a chunk of rows at a time. When a gradient is needed, those of `x`, `weight` and `bias` are computed in the forward
 * pass while a chunk is there, and `backward` only scales them: three matrix products in all, no recomputation, and a workspace of
 * about 8 MiB instead of N * V logits.
 *
 * A target outside [0, V) that is not `ignoreIndex` makes the loss NaN: the GPU cannot throw, and the mistake must not pass unseen.
 *
 * @param x f32 [..., D], N rows in all.
 * @param weight f32 [V, D].
 * @param targets i32, N of them.
 * @returns A scalar, or one loss per target (0 where ignored) for reduction "none".
 * @throws {ShapeError} If the shapes do not fit together.
 * @throws {TypeError} If targets are not i32, or reduction "none" is to be differentiated.
 * @throws {RangeError} If an option is out of range.
 */
export function linearCrossEntropy(
  x: Tensor,
  weight: Tensor,
  targets: Tensor,
  options: LinearCrossEntropyOptions = {},
): Tensor {
  const { bias, ignoreIndex = -1, labelSmoothing = 0, reduction = "mean" } = options;
  const gpu = x.gpu;
  const { N, V, D } = checkShapes(x, weight, bias);
  const needsGradient = gpu.isRecording(x, weight, bias);
  checkTargets("linearCrossEntropy", targets, N, options, needsGradient);
  const losses = gpu.empty(targets.shape);
  const factor = reduction === "mean" ? targetWeight(targets, ignoreIndex) : undefined;
  const gradients = needsGradient
    ? {
      x: x.requiresGrad ? gpu.empty(x.shape) : undefined,
      weight: weight.requiresGrad ? gpu.empty(weight.shape, "f32", "gradients") : undefined,
      bias: bias?.requiresGrad ? gpu.empty(bias.shape, "f32", "gradients") : undefined,
    }
    : {};
  const chunk = chunkRowsFor(gpu, V, D, options.chunkRows);
  const product = { batch: 1, strideA: 0, strideB: 0, alpha: 1 };
  for (let first = 0; first < N; first += chunk) {
    const rows = Math.min(chunk, N - first);
    gpu.scope(() => {
      const xRows = x.view([rows, D], first * D);
      const logits = gpu.empty([rows, V], "f32", "workspace");
      gemm(gpu, {
        ...product,
        ...{ M: rows, N: V, K: D, transposeA: false, transposeB: true },
        epilogue: { bias: bias !== undefined },
      }, { a: xRows, b: weight, bias, c: logits });
      runCrossEntropy({
        ...{ rows, classes: V, firstRow: first, ignoreIndex, labelSmoothing },
        gradient: needsGradient ? "inPlace" : "none",
      }, { logits, targets, losses, weight: factor });
      if (gradients.x) {
        gemm(gpu, {
          ...product,
          ...{ M: rows, N: D, K: V, transposeA: false, transposeB: false },
          epilogue: {},
        }, { a: logits, b: weight, c: gradients.x.view([rows, D], first * D) });
      }
      if (gradients.weight) {
        gemm(gpu, {
          ...product,
          ...{ M: V, N: D, K: rows, transposeA: true, transposeB: false },
          epilogue: { accumulate: first > 0 },
        }, { a: logits, b: xRows, c: gradients.weight });
      }
      if (gradients.bias) {
        addInto(gradients.bias, sumRows(logits, V), first > 0 ? "add" : "copy");
      }
    });
  }
  if (!factor) return losses;
  const output = meanLoss(losses, factor);
  losses.dispose();
  factor.dispose();
  if (!needsGradient) return output;
  const inputs = bias ? [x, weight, bias] : [x, weight];
  const made = bias
    ? [gradients.x, gradients.weight, gradients.bias]
    : [gradients.x, gradients.weight];
  return gpu.record({
    op: "linearCrossEntropy",
    inputs,
    output,
    saved: made.filter((g) => g !== undefined),
    backward: (upstream) =>
      made.map((gradient) => {
        if (!gradient) return undefined;
        scaleInPlace(gradient, upstream);
        return gradient.view(gradient.shape);
      }),
  });
}

/** As many rows as the workspace holds, in steps at which a view of `x` may start on this adapter. */
function chunkRowsFor(gpu: Gpu, V: number, D: number, wanted: number | undefined): number {
  if (wanted !== undefined && !(Number.isInteger(wanted) && wanted > 0)) {
    throw new RangeError(
      `Cannot take linearCrossEntropy: chunkRows is ${wanted}, expected a positive integer`,
    );
  }
  const { minStorageBufferOffsetAlignment, maxStorageBufferBindingSize } = gpu.info.limits;
  let step = 1;
  while (step * D * 4 % minStorageBufferOffsetAlignment !== 0) step *= 2;
  const rowBytes = V * 4;
  const target = wanted ?? Math.max(MIN_CHUNK_ROWS, Math.floor(WORKSPACE_BYTES / rowBytes));
  const rows = wanted === undefined
    ? Math.floor(target / MIN_CHUNK_ROWS) * MIN_CHUNK_ROWS
    : Math.ceil(target / step) * step;
  // A vocabulary so large that even this passes the binding limit gets fewer rows.
  const most = Math.floor(maxStorageBufferBindingSize / rowBytes / step) * step;
  return Math.max(step, Math.min(rows, most));
}

function checkShapes(x: Tensor, weight: Tensor, bias: Tensor | undefined) {
  const shapes = `x ${showShape(x.shape)}, weight ${showShape(weight.shape)}` +
    (bias ? `, bias ${showShape(bias.shape)}` : "");
  const D = x.rank > 0 ? x.dim(-1) : 0;
  const V = weight.shape[0];
  if (weight.rank !== 2 || D === 0 || V === 0 || weight.dim(1) !== D || (bias && bias.size !== V)) {
    throw new ShapeError(
      `Cannot take linearCrossEntropy of ${shapes}: expected x [..., D], weight [V, D] and bias [V]`,
    );
  }
  return { N: x.size / D, V, D };
}
