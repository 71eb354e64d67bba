import { normalAt, type Shape, sizeOf, type Tensor } from "../../engine/mod.ts";
import { assertClose, type Tolerance } from "./assert_close.ts";
import { gpu } from "./gpu.ts";

/** Reproducible standard normal test data. */
export function randomArray(size: number, stream: number, scale = 1): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => scale * normalAt(42, stream, i));
}

/** One differentiable input of a case. */
export interface CaseInput {
  readonly name: string;
  readonly shape: Shape;
  /** Values; standard normal when missing. */
  readonly values?: Float32Array;
}

/** What `checkOperation` compares. */
export interface OperationCase {
  readonly inputs: readonly CaseInput[];
  /** The operation on the GPU. */
  readonly run: (...inputs: Tensor[]) => Tensor;
  /** The same in float64 on the CPU, by plain loops. */
  readonly reference: (...inputs: Float64Array[]) => ArrayLike<number>;
  readonly tolerance?: Tolerance;
  /** Bound for the gradients, which are compared with central differences of the float64 reference. @default {1e-4} */
  readonly gradientTolerance?: number;
  /** Inputs whose gradient is not checked (indices and the like are closed over instead). */
  readonly constant?: readonly string[];
}

/**
 * Checks an operation's output against its float64 reference, and every input's gradient (of a fixed random weighting of the output)
 * against central differences of that reference.
 */
export async function checkOperation(label: string, operation: OperationCase): Promise<void> {
  const host = operation.inputs.map(({ shape, values }, i) =>
    values ?? randomArray(sizeOf(shape), i + 1)
  );
  const double = host.map((x) => Float64Array.from(x));
  const expected = Array.from(operation.reference(...double));
  const weights = randomArray(expected.length, 99);
  const { output, gradients } = gpu.scope(() => {
    const tensors = operation.inputs.map(({ shape, name }, i) => {
      const tensor = gpu.tensor(host[i], shape);
      tensor.requiresGrad = !operation.constant?.includes(name);
      return tensor;
    });
    return gpu.withTape((tape) => {
      const y = operation.run(...tensors);
      const output = gpu.readLater(y);
      const gradients = tape.backward(y, gpu.tensor(weights, y.shape), tensors);
      return { output, gradients: gradients.map((g) => g && gpu.readLater(g)) };
    });
  });
  gpu.submit();
  assertClose(`${label} output`, await output.value, expected, operation.tolerance);
  const loss = () => {
    const y = operation.reference(...double);
    let sum = 0;
    for (let i = 0; i < y.length; i++) sum += y[i] * weights[i];
    return sum;
  };
  for (const [i, { name }] of operation.inputs.entries()) {
    if (operation.constant?.includes(name)) continue;
    const gradient = gradients[i];
    if (!gradient) throw new Error(`${label}: no gradient arrived at ${name}`);
    const numeric = double[i].map((_, j) => {
      const x = double[i][j];
      const h = 1e-5 * Math.max(1, Math.abs(x));
      double[i][j] = x + h;
      const up = loss();
      double[i][j] = x - h;
      const down = loss();
      double[i][j] = x;
      return (up - down) / (2 * h);
    });
    assertClose(`${label} gradient of ${name}`, await gradient.value, numeric, {
      relative: operation.gradientTolerance ?? 1e-4,
      absolute: 1e-6,
    });
  }
}
