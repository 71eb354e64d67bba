import type { CaseOutputs, LibraryAdapter, PreparedCase, PrepareOptions } from "./adapter.ts";
import type { AttentionCase, CrossEntropyCase, PeerCase } from "./cases.ts";
import type { CaseInputs } from "./inputs.ts";
import { importPeer, PEER_PACKAGES } from "./packages.ts";
import { tfjsTrainingCase } from "./tfjs_gpt2.ts";

/** A tensor of TensorFlow.js, with the chained operations used here. */
export interface TfTensor {
  readonly shape: number[];
  add(other: TfTensor | number): TfTensor;
  sub(other: TfTensor | number): TfTensor;
  mul(other: TfTensor | number): TfTensor;
  div(other: TfTensor | number): TfTensor;
  square(): TfTensor;
  sqrt(): TfTensor;
  tanh(): TfTensor;
  neg(): TfTensor;
  mean(axis?: number, keepDims?: boolean): TfTensor;
  sum(axis?: number, keepDims?: boolean): TfTensor;
  reshape(shape: number[]): TfTensor;
  transpose(axes: number[]): TfTensor;
  matMul(other: TfTensor, transposeA?: boolean, transposeB?: boolean): TfTensor;
  data(): Promise<Float32Array>;
  dispose(): void;
}

/** A tensor that can be assigned and differentiated by. */
export interface TfVariable extends TfTensor {
  assign(value: TfTensor): void;
}

/** What the WebGPU backend does beyond its public interface; needed to send its last commands. */
export interface TfBackend {
  readonly device: GPUDevice;
  readonly commandEncoder: GPUCommandEncoder | null;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

/** The part of TensorFlow.js that is used here. */
export interface Tf {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  getBackend(): string;
  backend(): TfBackend;
  tensor(data: Float32Array | Int32Array, shape: number[], dtype: "float32" | "int32"): TfTensor;
  variable(initial: TfTensor, trainable: boolean, name: string): TfVariable;
  matMul(a: TfTensor, b: TfTensor, transposeA?: boolean, transposeB?: boolean): TfTensor;
  cumsum(x: TfTensor, axis: number): TfTensor;
  softmax(x: TfTensor, axis?: number): TfTensor;
  logSoftmax(x: TfTensor, axis?: number): TfTensor;
  gather(x: TfTensor, indices: TfTensor, axis?: number): TfTensor;
  split(x: TfTensor, parts: number, axis: number): TfTensor[];
  oneHot(x: TfTensor, depth: number): TfTensor;
  tidy<T>(body: () => T): T;
  keep<T extends TfTensor>(tensor: T): T;
  dispose(tensors: unknown): void;
  valueAndGrads(
    f: (...inputs: TfTensor[]) => TfTensor,
  ): (inputs: TfTensor[], dy?: TfTensor) => { value: TfTensor; grads: TfTensor[] };
  variableGrads(
    f: () => TfTensor,
    variables: TfVariable[],
  ): { value: TfTensor; grads: Record<string, TfTensor> };
}

/** Opens TensorFlow.js on its WebGPU backend. */
export async function openTfjs(): Promise<LibraryAdapter> {
  const [core, backend] = PEER_PACKAGES.tfjs;
  const tf = await importPeer(core) as unknown as Tf;
  await importPeer(backend);
  if (!await tf.setBackend("webgpu")) {
    throw new TypeError(
      `Cannot use tfjs: its webgpu backend did not start, it runs ${tf.getBackend()}`,
    );
  }
  await tf.ready();
  return {
    name: "tfjs",
    package: core.name,
    version: core.version,
    backend: "webgpu",
    device: tf.backend().device,
    prepare: (spec, inputs, options) => Promise.resolve(prepare(tf, spec, inputs, options)),
  };
}

/**
 * Sends the pending commands and waits. The pass must be ended first: `submitQueue` alone silently drops the work of an open pass.
 */
export async function finishTfjs(tf: Tf): Promise<void> {
  const backend = tf.backend();
  backend.endComputePassEncoder();
  if (backend.commandEncoder) backend.submitQueue();
  await backend.device.queue.onSubmittedWorkDone();
}

type TensorRecord = Record<string, TfTensor>;

function prepare(
  tf: Tf,
  spec: PeerCase,
  inputs: CaseInputs,
  options: PrepareOptions,
): PreparedCase | null {
  const resident: TfTensor[] = [];
  const upload = (name: string, shape: number[]) => {
    const data = inputs[name];
    const tensor = tf.tensor(data, shape, data instanceof Int32Array ? "int32" : "float32");
    resident.push(tensor);
    return tensor;
  };
  switch (spec.operation) {
    case "matmul": {
      const { batch, m, k, n } = spec;
      const lead = batch > 1 ? [batch] : [];
      const [a, b] = [upload("a", [...lead, m, k]), upload("b", [...lead, k, n])];
      return tensorCase(tf, resident, () => ({ product: tf.matMul(a, b) }));
    }
    case "attention":
      return attentionCase(tf, resident, spec, inputs);
    case "prefix-sum": {
      const x = upload("x", [1, spec.length, spec.width]);
      return tensorCase(tf, resident, () => ({ sums: tf.cumsum(x, 1) }));
    }
    case "layer-norm": {
      const { rows, width } = spec;
      const x = upload("x", [rows, width]);
      const [gain, offset] = [upload("gain", [width]), upload("offset", [width])];
      return tensorCase(tf, resident, () => ({ normalized: tfLayerNorm(x, gain, offset, 1e-5) }));
    }
    case "softmax": {
      const x = upload("x", [spec.rows, spec.width]);
      return tensorCase(tf, resident, () => ({ probabilities: tf.softmax(x) }));
    }
    case "cross-entropy":
      return crossEntropyCase(tf, resident, spec, upload);
    case "gpt2-inference":
      return null;
    case "gpt2-step":
      return tfjsTrainingCase(tf, spec, inputs, options);
  }
}

function attentionCase(
  tf: Tf,
  resident: TfTensor[],
  { length: T, heads: H, headDim: d, causal, phase }: AttentionCase,
  inputs: CaseInputs,
): PreparedCase {
  const upload = (name: string) => {
    const tensor = tf.tensor(
      swapHeads(inputs[name] as Float32Array, T, H, d),
      [H, T, d],
      "float32",
    );
    resident.push(tensor);
    return tensor;
  };
  const [q, k, v, gradient] = ["q", "k", "v", "gradient"].map(upload);
  const mask = causal ? causalMask(tf, T) : undefined;
  if (mask) resident.push(mask);
  const attend = (...operands: TfTensor[]) => tfAttention(tf, operands, mask);
  const body = phase === "forward" ? () => ({ output: attend(q, k, v) }) : () => {
    const { value, grads: [dq, dk, dv] } = tf.valueAndGrads(attend)([q, k, v], gradient);
    return { output: value, dq, dk, dv };
  };
  return tensorCase(tf, resident, body, {
    layout: (values) => swapHeads(values, H, T, d),
    notes: ["no attention operation: matMul, mask, softmax, matMul on [H, T, d]"],
  });
}

function crossEntropyCase(
  tf: Tf,
  resident: TfTensor[],
  { rows, width, vocabulary, phase }: CrossEntropyCase,
  upload: (name: string, shape: number[]) => TfTensor,
): PreparedCase {
  const hidden = upload("hidden", [rows, width]);
  const table = upload("table", [vocabulary, width]);
  const targets = upload("targets", [rows]);
  const loss = (x: TfTensor, w: TfTensor) =>
    tfCrossEntropy(tf, tf.matMul(x, w, false, true), targets, vocabulary);
  return tensorCase(
    tf,
    resident,
    phase === "forward" ? () => ({ loss: loss(hidden, table) }) : () => {
      const { value, grads: [dHidden, dTable] } = tf.valueAndGrads(loss)([hidden, table]);
      return { loss: value, dHidden, dTable };
    },
  );
}

/** Mean cross-entropy in nats of logits [N, V] against targets [N]. */
export function tfCrossEntropy(
  tf: Tf,
  logits: TfTensor,
  targets: TfTensor,
  vocabulary: number,
): TfTensor {
  const chosen = tf.logSoftmax(logits).mul(tf.oneHot(targets, vocabulary));
  return chosen.sum().neg().div(logits.shape[0]);
}

/** Layer norm over the last axis, as the library's own layer composes it. */
export function tfLayerNorm(
  x: TfTensor,
  gain: TfTensor,
  offset: TfTensor,
  epsilon: number,
): TfTensor {
  const centred = x.sub(x.mean(-1, true));
  return centred.div(centred.square().mean(-1, true).add(epsilon).sqrt()).mul(gain).add(offset);
}

/** Softmax attention of q, k, v [..., T, d]; `mask` [T, T] is added to the scores. */
export function tfAttention(tf: Tf, [q, k, v]: TfTensor[], mask?: TfTensor): TfTensor {
  const scores = tf.matMul(q, k, false, true).mul(1 / Math.sqrt(q.shape[q.shape.length - 1]));
  return tf.matMul(tf.softmax(mask ? scores.add(mask) : scores), v);
}

/** 0 where a query may look, -1e30 where it may not, [T, T]. */
export function causalMask(tf: Tf, T: number): TfTensor {
  const mask = new Float32Array(T * T);
  for (let i = 0; i < T; i++) mask.fill(-1e30, i * T + i + 1, (i + 1) * T);
  return tf.tensor(mask, [T, T], "float32");
}

/** [A, B, d] to [B, A, d] on the host. */
function swapHeads(values: Float32Array, A: number, B: number, d: number): Float32Array {
  const swapped = new Float32Array(values.length);
  for (let a = 0; a < A; a++) {
    for (let b = 0; b < B; b++) {
      const from = (a * B + b) * d;
      swapped.set(values.subarray(from, from + d), (b * A + a) * d);
    }
  }
  return swapped;
}

interface TensorCaseOptions {
  /** Brings an output of rank 3 into the layout the cases agree on. */
  readonly layout?: (values: Float32Array) => Float32Array;
  readonly notes?: readonly string[];
}

/** A case of plain operations; `tidy` frees what they make. */
function tensorCase(
  tf: Tf,
  resident: readonly TfTensor[],
  body: () => TensorRecord,
  { layout, notes = [] }: TensorCaseOptions = {},
): PreparedCase {
  return {
    notes,
    run: () => tf.tidy(() => void body()),
    finish: () => finishTfjs(tf),
    async outputs() {
      const results = tf.tidy(body);
      const outputs: Record<string, Float32Array> = {};
      for (const [name, tensor] of Object.entries(results)) {
        const values = await tensor.data();
        outputs[name] = layout && tensor.shape.length === 3 ? layout(values) : values;
        tensor.dispose();
      }
      return outputs as CaseOutputs;
    },
    dispose: () => resident.forEach((tensor) => tensor.dispose()),
  };
}
