import { hash4 } from "../../engine/mod.ts";
import type { AttentionCase, CrossEntropyCase, PeerCase } from "./cases.ts";
import type { CaseInputs } from "./inputs.ts";

/** Values of one output at sampled places, in float64. */
export interface ReferenceSample {
  readonly indices: readonly number[];
  readonly values: readonly number[];
}

/** Elements checked per output. */
const SAMPLES = 48;
/** dk and dv of a key need the softmax of every row that sees it; above this length only the last keys are affordable. */
const MAX_FULL_LENGTH = 1024;

/**
 * Float64 values of a case's outputs at sampled indices, by plain loops on the host. Outputs that cannot be sampled cheaply are left
 * out; they are compared between libraries instead.
 */
export function sampleReference(
  spec: PeerCase,
  inputs: CaseInputs,
): Record<string, ReferenceSample> {
  switch (spec.operation) {
    case "matmul": {
      const { batch, m, k, n } = spec;
      const { a, b } = inputs;
      return {
        product: sample(batch * m * n, (index) => {
          const [p, i, j] = [Math.floor(index / (m * n)), Math.floor(index / n) % m, index % n];
          let sum = 0;
          for (let l = 0; l < k; l++) sum += a[(p * m + i) * k + l] * b[(p * k + l) * n + j];
          return sum;
        }),
      };
    }
    case "attention":
      return attentionReference(spec, inputs);
    case "prefix-sum": {
      const { length, width } = spec;
      return {
        sums: sample(length * width, (index) => {
          let sum = 0;
          for (let i = index % width; i <= index; i += width) sum += inputs.x[i];
          return sum;
        }),
      };
    }
    case "layer-norm": {
      const { rows, width } = spec;
      const { x, gain, offset } = inputs;
      return {
        normalized: sample(rows * width, (index) => {
          const column = index % width;
          const row = x.subarray(index - column, index - column + width);
          let mean = 0;
          for (const value of row) mean += value / width;
          let variance = 0;
          for (const value of row) variance += (value - mean) ** 2 / width;
          return (row[column] - mean) / Math.sqrt(variance + 1e-5) * gain[column] + offset[column];
        }),
      };
    }
    case "softmax": {
      const { rows, width } = spec;
      return {
        probabilities: sample(rows * width, (index) => {
          const column = index % width;
          const row = Float64Array.from(inputs.x.subarray(index - column, index - column + width));
          const top = row.reduce((a, b) => Math.max(a, b), -Infinity);
          let sum = 0;
          for (const value of row) sum += Math.exp(value - top);
          return Math.exp(row[column] - top) / sum;
        }),
      };
    }
    case "cross-entropy":
      return crossEntropyReference(spec, inputs);
    case "gpt2-step":
    case "gpt2-inference":
      // The independent check of a whole model is that libraries which share no code agree.
      return {};
  }
}

/** Chosen by a hash, with the first and the last element always among them. */
function sample(size: number, value: (index: number) => number): ReferenceSample {
  const chosen = new Set([0, size - 1]);
  for (let i = 0; chosen.size < Math.min(SAMPLES, size); i++) {
    chosen.add(hash4(i, size, 7, 3)[0] % size);
  }
  const indices = [...chosen];
  return { indices, values: indices.map(value) };
}

function attentionReference(
  { length: T, heads: H, headDim: d, causal, phase }: AttentionCase,
  inputs: CaseInputs,
): Record<string, ReferenceSample> {
  const { q, k, v, gradient } = inputs;
  const scale = 1 / Math.sqrt(d);
  const at = (row: number, head: number) => (row * H + head) * d;
  const dot = (a: ArrayLike<number>, i: number, b: ArrayLike<number>, j: number) => {
    let sum = 0;
    for (let c = 0; c < d; c++) sum += a[i + c] * b[j + c];
    return sum;
  };
  /** Softmax of one query row, its output, and the gradient of its scores. */
  const rowCache = new Map<number, { p: Float64Array; o: Float64Array; ds: Float64Array }>();
  const row = (i: number, head: number) => {
    const known = rowCache.get(i * H + head);
    if (known) return known;
    const keys = causal ? i + 1 : T;
    const p = new Float64Array(keys).map((_, j) => scale * dot(q, at(i, head), k, at(j, head)));
    const top = p.reduce((a, b) => Math.max(a, b), -Infinity);
    let sum = 0;
    for (let j = 0; j < keys; j++) sum += p[j] = Math.exp(p[j] - top);
    const o = new Float64Array(d);
    for (let j = 0; j < keys; j++) {
      p[j] /= sum;
      for (let c = 0; c < d; c++) o[c] += p[j] * v[at(j, head) + c];
    }
    const mean = dot(gradient, at(i, head), o, 0);
    const ds = p.map((share, j) => share * (dot(gradient, at(i, head), v, at(j, head)) - mean));
    const made = { p, o, ds };
    rowCache.set(i * H + head, made);
    return made;
  };
  /** Places spread over a few rows only: a row costs T d operations. */
  const inRows = (
    rows: readonly number[],
    value: (i: number, head: number, c: number) => number,
  ) => {
    const indices = rows.flatMap((i) =>
      [0, 1, 2, 3].map((n) => at(i, (i + n) % H) + (i * 5 + n) % d)
    );
    const unique = [...new Set(indices)];
    return {
      indices: unique,
      values: unique.map((index) =>
        value(Math.floor(index / (H * d)), Math.floor(index / d) % H, index % d)
      ),
    };
  };
  const rows = [0, 1, Math.floor(T / 3), Math.floor(T / 2), T - 2, T - 1].filter((i) => i >= 0);
  const output = inRows(rows, (i, head, c) => row(i, head).o[c]);
  if (phase === "forward") return { output };
  const dq = inRows(rows, (i, head, c) => {
    let sum = 0;
    row(i, head).ds.forEach((ds, j) => sum += scale * ds * k[at(j, head) + c]);
    return sum;
  });
  if (!causal && T > MAX_FULL_LENGTH) return { output, dq };
  const keys = T > MAX_FULL_LENGTH ? [T - 6, T - 2, T - 1] : [Math.floor(T / 2), T - 1];
  const overQueries = (j: number, value: (i: number) => number) => {
    let sum = 0;
    for (let i = causal ? j : 0; i < T; i++) sum += value(i);
    return sum;
  };
  return {
    output,
    dq,
    dk: inRows(
      keys,
      (j, head, c) => overQueries(j, (i) => scale * row(i, head).ds[j] * q[at(i, head) + c]),
    ),
    dv: inRows(
      keys,
      (j, head, c) => overQueries(j, (i) => row(i, head).p[j] * gradient[at(i, head) + c]),
    ),
  };
}

function crossEntropyReference(
  { rows, width, vocabulary, phase }: CrossEntropyCase,
  { hidden, table, targets }: CaseInputs,
): Record<string, ReferenceSample> {
  const probabilities = (i: number) => {
    const p = new Float64Array(vocabulary);
    for (let w = 0; w < vocabulary; w++) {
      let sum = 0;
      for (let c = 0; c < width; c++) sum += hidden[i * width + c] * table[w * width + c];
      p[w] = sum;
    }
    const top = p.reduce((a, b) => Math.max(a, b), -Infinity);
    let sum = 0;
    for (let w = 0; w < vocabulary; w++) sum += p[w] = Math.exp(p[w] - top);
    return p.map((value) => value / sum);
  };
  if (phase === "forward") {
    let loss = 0;
    for (let i = 0; i < rows; i++) loss -= Math.log(probabilities(i)[targets[i]]) / rows;
    return { loss: { indices: [0], values: [loss] } };
  }
  const checked = [0, Math.floor(rows / 2), rows - 1];
  const indices: number[] = [];
  const values: number[] = [];
  for (const i of new Set(checked)) {
    const p = probabilities(i);
    for (const c of new Set([0, Math.floor(width / 2), width - 1])) {
      let sum = -table[targets[i] * width + c];
      for (let w = 0; w < vocabulary; w++) sum += p[w] * table[w * width + c];
      indices.push(i * width + c);
      values.push(sum / rows);
    }
  }
  return { dHidden: { indices, values } };
}
