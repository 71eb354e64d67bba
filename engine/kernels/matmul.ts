import { type Binding, f32, read, u32, type Uniform, write } from "../kernel.ts";
import { type Activation, activationFunctions } from "./activations.ts";

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

/** Whether all rows start at a multiple of four elements, so that loads and stores can be vec4. */
export function isVectorizable(
  { M, N, K, transposeA, batch, strideA, strideB }: MatmulProblem,
): boolean {
  const aligned = (n: number) => n % 4 === 0;
  return aligned(K) && aligned(N) && (!transposeA || aligned(M)) &&
    (batch === 1 || (aligned(strideA) && aligned(strideB)));
}

/** Bindings of every matmul variant: a, b, then what the epilogue needs, then c. */
export function matmulBindings(epilogue: MatmulEpilogue, vector: boolean): Binding[] {
  const type = vector ? "vec4f" : "f32";
  const bindings = [read("a", type), read("b", type)];
  if (epilogue.bias) bindings.push(read("bias", type));
  if (epilogue.residual) bindings.push(read("residual", type));
  if (epilogue.preActivation) bindings.push(write("pre", type));
  bindings.push(write("c", type));
  return bindings;
}

/** Uniforms of every matmul variant; with vec4 bindings the strides count vec4s. */
export function matmulUniforms(p: MatmulProblem, vector: boolean): Uniform[] {
  const unit = vector ? 4 : 1;
  return [
    u32("M", p.M),
    u32("N", p.N),
    u32("K", p.K),
    u32("strideA", p.strideA / unit),
    u32("strideB", p.strideB / unit),
    u32("strideC", (p.M * p.N) / unit),
    f32("alpha", p.alpha),
  ];
}

/** Everything of the problem that changes the code. */
export function matmulKey(p: MatmulProblem, vector: boolean): string {
  const e = p.epilogue;
  return [
    p.transposeA ? "T" : "N",
    p.transposeB ? "T" : "N",
    vector ? "vec4" : "f32",
    e.accumulate ? "acc" : "",
    e.bias ? "bias" : "",
    e.preActivation ? "pre" : "",
    e.activation ?? "",
    e.residual ? "res" : "",
  ].join(" ");
}

/** WGSL of `store(row, column, value)`: applies the epilogue and writes if inside C. `column` is the first of four. */
export function matmulStore(epilogue: MatmulEpilogue, vector: boolean): string {
  const { accumulate, bias, preActivation, activation, residual } = epilogue;
  const steps = (index: string, column: string) =>
    [
      accumulate && `v += c[${index}];`,
      bias && `v += bias[${column}];`,
      preActivation && `pre[${index}] = v;`,
      activation && "v = activation(v);",
      residual && `v += residual[${index}];`,
      `c[${index}] = v;`,
    ].filter(Boolean).join(" ");
  const functions = activation ? activationFunctions(activation, vector ? "vec4f" : "f32") : "";
  if (vector) {
    return `${functions}
fn store(offset: u32, row: u32, column: u32, sum: vec4f) {
  if (row < u.M && column < u.N) {
    let i = offset + (row * u.N + column) / 4u;
    var v = u.alpha * sum;
    ${steps("i", "column / 4u")}
  }
}`;
  }
  return `${functions}
fn store(offset: u32, row: u32, column: u32, sum: vec4f) {
  for (var j = 0u; j < 4u; j++) {
    if (row < u.M && column + j < u.N) {
      let i = offset + row * u.N + column + j;
      var v = u.alpha * sum[j];
      ${steps("i", "column + j")}
    }
  }
}`;
}

/**
 * WGSL of `load_a(offset, row, k)` and `load_b(offset, column, k)`: four values as stored contiguously. For an operand stored along k they
 * are four k values of one row or column; for one stored across, four rows or columns at one k. Reads past the edge are clamped
 * (the sums they enter are never stored) except past K, which give zero.
 */
export function matmulLoads(
  p: Pick<MatmulProblem, "transposeA" | "transposeB">,
  vector: boolean,
): string {
  const load = (name: "a" | "b", alongK: boolean, edge: "M" | "N") => {
    if (vector) {
      return alongK
        ? `fn load_${name}(offset: u32, line: u32, k: u32) -> vec4f {
  return ${name}[offset + (min(line, u.${edge} - 1u) * u.K + k) / 4u];
}`
        : `fn load_${name}(offset: u32, line: u32, k: u32) -> vec4f {
  return ${name}[offset + (k * u.${edge} + min(line, u.${edge} - 4u)) / 4u];
}`;
    }
    const index = (j: number) =>
      alongK ? `first + min(k + ${j}u, u.K - 1u)` : `first + min(line + ${j}u, u.${edge} - 1u)`;
    const guard = (j: number) => alongK ? `k + ${j}u < u.K` : "k < u.K";
    const first = alongK ? `min(line, u.${edge} - 1u) * u.K` : `min(k, u.K - 1u) * u.${edge}`;
    const parts = [0, 1, 2, 3].map((j) => `select(0.0, ${name}[${index(j)}], ${guard(j)})`);
    return `fn load_${name}(offset: u32, line: u32, k: u32) -> vec4f {
  let first = offset + ${first};
  return vec4f(${parts.join(",\n    ")});
}`;
  };
  return load("a", !p.transposeA, "M") + "\n" + load("b", p.transposeB, "N");
}
