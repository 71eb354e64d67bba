import { ShapeError } from "../errors.ts";
import type { Gpu } from "../gpu.ts";
import {
  NORM_ROWS_PER_CHUNK,
  normBackwardInputKernel,
  normBackwardWeightKernel,
  normForwardKernel,
  type NormKind,
  type NormProblem,
} from "../kernels/norm.ts";
import { showShape, type Tensor } from "../tensor.ts";
import { checkFloat } from "./elementwise.ts";
import { rowVariant } from "./row_variant.ts";
import { sumRows } from "./sum_rows.ts";

/** Options of `layerNorm` and `rmsNorm`. */
export interface NormOptions {
  /** Added to the variance (or mean square) under the root. @default {1e-5} */
  readonly epsilon?: number;
}

/**
 * Layer normalisation over the last axis (Ba, Kiros and Hinton 2016): [..., D] gives [..., D].
 *
 * @param x Input [..., D].
 * @param weight Factor [D]; 1 if left out.
 * @param bias Summand [D]; 0 if left out.
 * @returns (x - mean) / sqrt(variance + epsilon) * weight + bias, with the variance over D (not D - 1).
 */
export function layerNorm(
  x: Tensor,
  weight?: Tensor,
  bias?: Tensor,
  options: NormOptions = {},
): Tensor {
  return norm("layer", x, weight, bias, options);
}

/**
 * Root mean square normalisation over the last axis (Zhang and Sennrich 2019): [..., D] gives [..., D].
 *
 * @param x Input [..., D].
 * @param weight Factor [D]; 1 if left out.
 * @returns x / sqrt(mean(x^2) + epsilon) * weight.
 */
export function rmsNorm(x: Tensor, weight?: Tensor, options: NormOptions = {}): Tensor {
  return norm("rms", x, weight, undefined, options);
}

function norm(
  kind: NormKind,
  x: Tensor,
  weight: Tensor | undefined,
  bias: Tensor | undefined,
  { epsilon = 1e-5 }: NormOptions,
): Tensor {
  const gpu = x.gpu;
  const op = `${kind}Norm`;
  const columns = x.dim(-1);
  checkFloat(op, x);
  for (const [name, vector] of [["weight", weight], ["bias", bias]] as const) {
    if (!vector) continue;
    checkFloat(op, vector);
    if (vector.size !== columns) {
      throw new ShapeError(
        `Cannot compute ${op} of ${showShape(x.shape)}: ${name} is ${
          showShape(vector.shape)
        }, expected [${columns}]`,
      );
    }
  }
  const rows = columns === 0 ? 0 : x.size / columns;
  const problem: NormProblem = {
    kind,
    rows,
    columns,
    epsilon,
    weight: weight !== undefined,
    bias: bias !== undefined,
  };
  const output = gpu.empty(x.shape);
  if (x.size === 0) return output;
  const recording = gpu.isRecording(x, weight, bias);
  const statistics = recording ? gpu.empty(kind === "layer" ? [rows, 2] : [rows]) : undefined;
  const variant = rowVariant(gpu, rows, columns);
  gpu.run(
    normForwardKernel(problem, recording, variant),
    [x, weight, bias, statistics, output].filter((t) => t !== undefined),
  );
  if (!statistics) return output;
  const inputs = [x, weight, bias].filter((t) => t !== undefined);
  return gpu.record({
    op,
    inputs,
    output,
    saved: [statistics],
    backward: (gradient, needs) => {
      let dx: Tensor | undefined;
      if (needs[0]) {
        dx = gpu.empty(x.shape);
        gpu.run(
          normBackwardInputKernel(problem, variant),
          [gradient, x, weight, statistics, dx].filter((t) => t !== undefined),
        );
      }
      const needsWeight = weight !== undefined && needs[1];
      const needsBias = bias !== undefined && needs[inputs.length - 1];
      const vectors = needsWeight
        ? weightGradients(gpu, { ...problem, bias: needsBias }, [gradient, x, statistics])
        : needsBias
        ? { dbias: sumRows(gradient, columns) }
        : {};
      const results = [dx];
      if (weight) results.push(vectors.dweight);
      if (bias) results.push(vectors.dbias);
      return results;
    },
  });
}

/** Gradients of weight and bias: one kernel makes the partial sums of both. */
function weightGradients(
  gpu: Gpu,
  problem: NormProblem,
  inputs: readonly Tensor[],
): { dweight?: Tensor; dbias?: Tensor } {
  const { rows, columns, bias } = problem;
  const chunks = Math.ceil(rows / NORM_ROWS_PER_CHUNK);
  const parts = (bias ? ["dweight", "dbias"] : ["dweight"]).map(() =>
    gpu.empty(chunks === 1 ? [columns] : [chunks, columns], "f32", "workspace")
  );
  gpu.run(normBackwardWeightKernel(problem), [...inputs, ...parts]);
  const [dweight, dbias] = parts.map((part) => {
    if (chunks === 1) return part;
    const total = sumRows(part, columns);
    part.dispose();
    return total;
  });
  return { dweight, dbias };
}
