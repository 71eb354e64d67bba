import { type Binding, f32, read, u32, type Uniform, write } from "../kernel.ts";
import { type Activation, activationFunctions } from "./activations.ts";
import { hasTail, type VectorAccess } from "./matmul_loads.ts";

/** One product C = epilogue(alpha * op(A) op(B)), batched with strides. Sizes count elements. */
export interface MatmulProblem {
  /** Rows of C. */
  readonly M: number;
  /** Columns of C. */
  readonly N: number;
  /** Length of the sums. */
  readonly K: number;
  readonly batch: number;
  /** A is stored [K, M] instead of [M, K]. */
  readonly transposeA: boolean;
  /** B is stored [N, K] instead of [K, N]. */
  readonly transposeB: boolean;
  /** Elements between two matrices of a batch; 0 repeats one matrix. */
  readonly strideA: number;
  readonly strideB: number;
  readonly alpha: number;
  readonly epilogue: MatmulEpilogue;
}

/** What happens to a sum before it is stored, in this order. */
export interface MatmulEpilogue {
  /** Adds to what C holds. */
  readonly accumulate?: boolean;
  /** Adds a row vector [N]. */
  readonly bias?: boolean;
  /** Stores the sum so far in a second output, for the activation's backward. */
  readonly preActivation?: boolean;
  readonly activation?: Activation;
  /** Adds a tensor of C's shape. */
  readonly residual?: boolean;
}

/** Bindings of every matmul variant: a, b, then what the epilogue needs, then c. */
export function matmulBindings(epilogue: MatmulEpilogue, vectors: VectorAccess): Binding[] {
  const type = (vector: boolean) => vector ? "vec4f" : "f32";
  const output = type(vectors.c);
  const bindings = [read("a", type(vectors.a)), read("b", type(vectors.b))];
  if (epilogue.bias) bindings.push(read("bias", output));
  if (epilogue.residual) bindings.push(read("residual", output));
  if (epilogue.preActivation) bindings.push(write("pre", output));
  bindings.push(write("c", output));
  return bindings;
}

/** Uniforms of every matmul variant; the strides count elements of the bindings. */
export function matmulUniforms(p: MatmulProblem, vectors: VectorAccess): Uniform[] {
  return [
    u32("M", p.M),
    u32("N", p.N),
    u32("K", p.K),
    u32("strideA", vectors.a ? p.strideA / 4 : p.strideA),
    u32("strideB", vectors.b ? p.strideB / 4 : p.strideB),
    u32("strideC", vectors.c ? p.M * p.N / 4 : p.M * p.N),
    f32("alpha", p.alpha),
  ];
}

/** Everything of the problem that changes the code. */
export function matmulKey(p: MatmulProblem, vectors: VectorAccess): string {
  const e = p.epilogue;
  return (p.transposeA ? "T" : "N") + (p.transposeB ? "T" : "N") +
    (vectors.a ? "4" : "1") + (vectors.b ? "4" : "1") + (vectors.c ? "4" : "1") +
    (hasTail(p) ? " tail" : "") +
    (e.accumulate ? " accumulate" : "") +
    (e.bias ? " bias" : "") +
    (e.preActivation ? " pre" : "") +
    (e.activation ? ` ${e.activation}` : "") +
    (e.residual ? " residual" : "");
}

/**
 * WGSL of the end of every variant: scales the sum, applies the epilogue and writes what lies inside C. `store(offset, row, column, sum)`
 * takes the first of four columns; with scalar output there is also `store_one(offset, row, column, sum)` for a single value.
 */
export function matmulStore(epilogue: MatmulEpilogue, vector: boolean): string {
  const { accumulate, bias, preActivation, activation, residual } = epilogue;
  const functions = activation ? activationFunctions(activation, vector ? "vec4f" : "f32") : "";
  const column = vector ? "column / 4u" : "column";
  const steps = [
    accumulate && "v += c[i];",
    bias && `v += bias[${column}];`,
    preActivation && "pre[i] = v;",
    activation && "v = activation(v);",
    residual && "v += residual[i];",
  ].filter(Boolean).join(" ");
  const one = `${functions}
fn ${vector ? "store" : "store_one"}(offset: u32, row: u32, column: u32, sum: ${
    vector ? "vec4f" : "f32"
  }) {
  if (row < u.M && column < u.N) {
    let i = offset + ${vector ? "(row * u.N + column) / 4u" : "row * u.N + column"};
    var v = u.alpha * sum;
    ${steps}
    c[i] = v;
  }
}`;
  if (vector) return one;
  return `${one}
fn store(offset: u32, row: u32, column: u32, sum: vec4f) {
  for (var j = 0u; j < 4u; j++) { store_one(offset, row, column + j, sum[j]); }
}`;
}
