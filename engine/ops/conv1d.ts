import { ShapeError } from "../errors.ts";
import { fold1dKernel, unfold1dKernel, type Windows } from "../kernels/conv1d.ts";
import { showShape, type Tensor } from "../tensor.ts";
import { add } from "./binary.ts";
import { matmul } from "./matmul.ts";
import { permute } from "./permute.ts";
import { reshape } from "./reshape.ts";

/** Options of `conv1d` and `convTranspose1d`. */
export interface Conv1dOptions {
  /** Distance between windows. @default {1} */
  readonly stride?: number;
  /** Zeros at both ends of the signal. @default {0} */
  readonly padding?: number;
  /** Signals are [B, L, C] instead of [B, C, L]. The weight's layout stays. @default {false} */
  readonly channelsLast?: boolean;
}

/**
 * One-dimensional convolution (cross-correlation, as torch's Conv1d).
 *
 * @param x [B, C, L], or [B, L, C] with `channelsLast`.
 * @param weight [O, C, K].
 * @param bias [O].
 * @returns [B, O, (L + 2 padding - K) / stride + 1, rounded down], or channels last.
 * @throws {ShapeError} If the shapes do not fit or the signal is shorter than a window.
 * @throws {RangeError} If stride or padding is not a possible whole number.
 */
export function conv1d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor,
  options: Conv1dOptions = {},
): Tensor {
  const { stride = 1, padding = 0, channelsLast = false } = options;
  checkOptions("conv1d", x, weight, stride, padding);
  const [outputs, channels, kernel] = weight.shape;
  const [batch, length] = [x.dim(0), x.dim(channelsLast ? 1 : 2)];
  if (x.dim(channelsLast ? 2 : 1) !== channels || (bias && bias.size !== outputs)) {
    throw new ShapeError(
      `Cannot convolve ${showShape(x.shape)} with weight ${showShape(weight.shape)}${
        bias ? ` and bias ${showShape(bias.shape)}` : ""
      }: expected ${channels} channels on axis ${channelsLast ? 2 : 1} and a bias of ${outputs}`,
    );
  }
  const count = Math.floor((length + 2 * padding - kernel) / stride) + 1;
  if (count < 1) {
    throw new ShapeError(
      `Cannot convolve ${showShape(x.shape)}: its ${length} positions and ${
        2 * padding
      } of padding are fewer than the kernel (${kernel})`,
    );
  }
  const windows = { batch, channels, length, count, kernel, stride, padding, channelsLast };
  const columns = unfold1d(x, windows);
  if (channelsLast) {
    const flat = reshape(permute(weight, [2, 1, 0]), [kernel * channels, outputs]);
    return matmul(columns, flat, { bias });
  }
  const product = matmul(reshape(weight, [outputs, channels * kernel]), columns);
  return bias ? add(product, reshape(bias, [outputs, 1])) : product;
}

/**
 * Transposed one-dimensional convolution (torch's ConvTranspose1d): the adjoint of `conv1d` with the same weight.
 *
 * @param x [B, C, L], or [B, L, C] with `channelsLast`.
 * @param weight [C, O, K].
 * @param bias [O].
 * @returns [B, O, (L - 1) stride + K - 2 padding], or channels last.
 * @throws {ShapeError} If the shapes do not fit.
 * @throws {RangeError} If stride or padding is not a possible whole number.
 */
export function convTranspose1d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor,
  options: Conv1dOptions = {},
): Tensor {
  const { stride = 1, padding = 0, channelsLast = false } = options;
  checkOptions("convTranspose1d", x, weight, stride, padding);
  const [channels, outputs, kernel] = weight.shape;
  const [batch, count] = [x.dim(0), x.dim(channelsLast ? 1 : 2)];
  const length = (count - 1) * stride + kernel - 2 * padding;
  if (
    x.dim(channelsLast ? 2 : 1) !== channels || (bias && bias.size !== outputs) || length < 1
  ) {
    throw new ShapeError(
      `Cannot convolve (transposed) ${showShape(x.shape)} with weight ${showShape(weight.shape)}${
        bias ? ` and bias ${showShape(bias.shape)}` : ""
      }: expected ${channels} channels, a bias of ${outputs} and a result of at least one position`,
    );
  }
  const windows = {
    ...{ batch, channels: outputs, length, count, kernel, stride, padding, channelsLast },
  };
  if (channelsLast) {
    const flat = reshape(permute(weight, [0, 2, 1]), [channels, kernel * outputs]);
    const folded = fold1d(matmul(x, flat), windows);
    return bias ? add(folded, bias) : folded;
  }
  const flat = reshape(weight, [channels, outputs * kernel]);
  const folded = fold1d(matmul(transposed(flat), x), windows);
  return bias ? add(folded, reshape(bias, [outputs, 1])) : folded;
}

function transposed(matrix: Tensor): Tensor {
  return permute(matrix, [1, 0]);
}

/** Windows side by side do not overlap: with the channels last their columns are the signal itself. */
function isReshape({ length, count, kernel, stride, padding, channelsLast }: Windows): boolean {
  return channelsLast && padding === 0 && kernel === stride && length === count * kernel;
}

function columnShape({ batch, channels, count, kernel, channelsLast }: Windows): number[] {
  return channelsLast ? [batch, count, kernel * channels] : [batch, channels * kernel, count];
}

function signalShape({ batch, channels, length, channelsLast }: Windows): number[] {
  return channelsLast ? [batch, length, channels] : [batch, channels, length];
}

function unfold1d(x: Tensor, windows: Windows): Tensor {
  if (isReshape(windows)) return reshape(x, columnShape(windows));
  return x.gpu.record({
    op: "unfold1d",
    inputs: [x],
    output: runUnfold(x, windows),
    backward: (gradient) => [runFold(gradient, windows)],
  });
}

function fold1d(columns: Tensor, windows: Windows): Tensor {
  if (isReshape(windows)) return reshape(columns, signalShape(windows));
  return columns.gpu.record({
    op: "fold1d",
    inputs: [columns],
    output: runFold(columns, windows),
    backward: (gradient) => [runUnfold(gradient, windows)],
  });
}

function runUnfold(x: Tensor, windows: Windows): Tensor {
  const columns = x.gpu.empty(columnShape(windows));
  x.gpu.run(unfold1dKernel(windows), [x, columns]);
  return columns;
}

function runFold(columns: Tensor, windows: Windows): Tensor {
  const x = columns.gpu.empty(signalShape(windows));
  columns.gpu.run(fold1dKernel(windows), [columns, x]);
  return x;
}

function checkOptions(
  op: string,
  x: Tensor,
  weight: Tensor,
  stride: number,
  padding: number,
): void {
  if (x.rank !== 3 || weight.rank !== 3) {
    throw new ShapeError(
      `Cannot run ${op} of ${showShape(x.shape)} with weight ${
        showShape(weight.shape)
      }: expected three dimensions each`,
    );
  }
  if (!(Number.isInteger(stride) && stride >= 1 && Number.isInteger(padding) && padding >= 0)) {
    throw new RangeError(
      `Cannot run ${op}: stride is ${stride} and padding ${padding}, expected whole numbers of at least 1 and 0`,
    );
  }
}
