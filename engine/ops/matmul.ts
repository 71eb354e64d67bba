import { ShapeError } from "../errors.ts";
import type { Activation } from "../kernels/activations.ts";
import type { MatmulEpilogue, MatmulProblem } from "../kernels/matmul.ts";
import { type Shape, showShape, sizeOf, type Tensor } from "../tensor.ts";
import { activationGradient } from "./activation.ts";
import { gemm } from "./gemm.ts";
import { sumRows } from "./sum_rows.ts";

/** Options of `matmul`. */
export interface MatmulOptions {
  /** `a` is stored [..., K, M]. @default {false} */
  readonly transposeA?: boolean;
  /** `b` is stored [..., N, K]. @default {false} */
  readonly transposeB?: boolean;
  /** Factor on the product. @default {1} */
  readonly scale?: number;
  /** Row vector [N] added to the product. */
  readonly bias?: Tensor;
  /** Applied after the bias. */
  readonly activation?: Activation;
  /** Tensor of the result's shape added at the end. */
  readonly residual?: Tensor;
}

interface Plan {
  readonly problem: Omit<MatmulProblem, "epilogue" | "alpha">;
  readonly shape: Shape;
}

/**
 * Matrix product over the last two dimensions: [..., M, K] x [..., K, N] gives [..., M, N].
 *
 * Leading dimensions must be equal, or `b` (or `a`) has two dimensions and is shared by the whole batch. Bias, activation and
 * residual are applied while the product is still in registers.
 *
 * @param a First factor.
 * @param b Second factor.
 * @param options Transpositions and epilogue.
 * @returns activation(scale * op(a) op(b) + bias) + residual.
 * @throws {ShapeError} If the shapes do not fit.
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  const { transposeA = false, transposeB = false, scale = 1, bias, activation, residual } = options;
  const gpu = a.gpu;
  const { problem, shape } = plan(a, b, transposeA, transposeB);
  checkEpilogue(problem.N, shape, bias, residual);
  const output = gpu.empty(shape);
  const recording = gpu.isRecording(a, b, bias, residual);
  const pre = activation && recording ? gpu.empty(shape) : undefined;
  const epilogue: MatmulEpilogue = {
    bias: bias !== undefined,
    activation,
    preActivation: pre !== undefined,
    residual: residual !== undefined,
  };
  gemm(gpu, { ...problem, alpha: scale, epilogue }, { a, b, bias, residual, pre, c: output });
  if (!recording) return output;
  const inputs = [a, b, bias, residual].filter((t) => t !== undefined);
  return gpu.record({
    op: "matmul",
    inputs,
    output,
    saved: pre ? [pre] : [],
    backward: (gradient, needs) => {
      const inner = pre ? activationGradient(gradient, pre, activation!) : gradient;
      const results: (Tensor | undefined)[] = [
        needs[0] ? gradientOfA(inner, a, b, transposeA, transposeB, scale) : undefined,
        needs[1] ? gradientOfB(inner, a, b, transposeA, transposeB, scale) : undefined,
      ];
      if (bias) results.push(needs[2] ? sumRows(inner, problem.N) : undefined);
      if (residual) results.push(gradient);
      if (inner !== gradient) inner.dispose();
      return results;
    },
  });
}

/** d/dA: dC op(B)^T, transposed back if A is stored transposed. */
function gradientOfA(
  g: Tensor,
  a: Tensor,
  b: Tensor,
  tA: boolean,
  tB: boolean,
  scale: number,
): Tensor {
  const full = tA ? product(b, g, tB, true, scale) : product(g, b, false, !tB, scale);
  return foldBatch(full, a);
}

/** d/dB: op(A)^T dC; a shared B sums over the batch, which one tall product does at once. */
function gradientOfB(
  g: Tensor,
  a: Tensor,
  b: Tensor,
  tA: boolean,
  tB: boolean,
  scale: number,
): Tensor {
  if (b.rank === 2 && g.rank > 2 && !tA && a.rank === g.rank) {
    const N = g.dim(-1);
    a = a.view([a.size / a.dim(-1), a.dim(-1)]);
    g = g.view([g.size / N, N]);
  }
  const full = tB ? product(g, a, true, tA, scale) : product(a, g, !tA, false, scale);
  return foldBatch(full, b);
}

function product(a: Tensor, b: Tensor, tA: boolean, tB: boolean, scale: number): Tensor {
  const { problem, shape } = plan(a, b, tA, tB);
  const c = a.gpu.empty(shape);
  gemm(a.gpu, { ...problem, alpha: scale, epilogue: {} }, { a, b, c });
  return c;
}

/** Sums a batched gradient of an operand that the batch shared. */
function foldBatch(gradient: Tensor, operand: Tensor): Tensor {
  if (gradient.rank === operand.rank) return gradient;
  const folded = (gradient.size === operand.size ? gradient : sumRows(gradient, operand.size))
    .view(operand.shape);
  gradient.dispose();
  return folded;
}

function plan(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Plan {
  if (a.rank < 2 || b.rank < 2) {
    throw new ShapeError(
      `Cannot multiply ${showShape(a.shape)} by ${
        showShape(b.shape)
      }: expected two or more dimensions`,
    );
  }
  const [M, K] = transposeA ? [a.dim(-1), a.dim(-2)] : [a.dim(-2), a.dim(-1)];
  const [kB, N] = transposeB ? [b.dim(-1), b.dim(-2)] : [b.dim(-2), b.dim(-1)];
  const batchA = a.shape.slice(0, -2);
  const batchB = b.shape.slice(0, -2);
  const sameBatch = batchA.length === batchB.length && batchA.every((n, i) => n === batchB[i]);
  if (K !== kB || !(sameBatch || batchA.length === 0 || batchB.length === 0)) {
    throw new ShapeError(
      `Cannot multiply ${showShape(a.shape)}${transposeA ? "^T" : ""} by ${showShape(b.shape)}${
        transposeB ? "^T" : ""
      }: ` +
        `expected equal inner sizes (got ${K} and ${kB}) and equal leading dimensions`,
    );
  }
  const leading = batchA.length > 0 ? batchA : batchB;
  const shape = [...leading, M, N];
  // A batch of row-major matrices times one shared matrix is a single tall product.
  if (batchA.length > 0 && batchB.length === 0 && !transposeA) {
    return {
      problem: {
        M: sizeOf(batchA) * M,
        N,
        K,
        batch: 1,
        transposeA,
        transposeB,
        strideA: 0,
        strideB: 0,
      },
      shape,
    };
  }
  return {
    problem: {
      M,
      N,
      K,
      batch: sizeOf(leading),
      transposeA,
      transposeB,
      strideA: batchA.length > 0 ? M * K : 0,
      strideB: batchB.length > 0 ? K * N : 0,
    },
    shape,
  };
}

function checkEpilogue(
  N: number,
  shape: Shape,
  bias: Tensor | undefined,
  residual: Tensor | undefined,
): void {
  if (bias && bias.size !== N) {
    throw new ShapeError(
      `Cannot add bias ${showShape(bias.shape)} to ${showShape(shape)}: expected [${N}]`,
    );
  }
  if (residual && residual.size !== sizeOf(shape)) {
    throw new ShapeError(
      `Cannot add residual ${showShape(residual.shape)} to ${
        showShape(shape)
      }: expected the same shape`,
    );
  }
}
