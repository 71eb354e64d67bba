import type { CaseOutputs, LibraryAdapter, PreparedCase, PrepareOptions } from "./adapter.ts";
import type { AttentionCase, CrossEntropyCase, PeerCase } from "./cases.ts";
import type { CaseInputs } from "./inputs.ts";
import { jaxTrainingCase } from "./jax_js_gpt2.ts";
import { patchJaxScatter } from "./jax_js_scatter_patch.ts";
import { importPeer, PEER_PACKAGES } from "./packages.ts";

/** An array of jax-js. Its operations consume the arrays they are given; `ref` keeps one for another use. */
export interface JaxArray {
  readonly ref: JaxArray;
  readonly shape: number[];
  add(other: JaxArray | number): JaxArray;
  sub(other: JaxArray | number): JaxArray;
  mul(other: JaxArray | number): JaxArray;
  div(other: JaxArray | number): JaxArray;
  neg(): JaxArray;
  sum(axis?: number | null): JaxArray;
  reshape(shape: number[]): JaxArray;
  transpose(axes?: number[]): JaxArray;
  slice(...ranges: ([] | [number, number])[]): JaxArray;
  data(): Promise<Float32Array>;
  /** Sends everything this array waits for to the GPU, without waiting; consumes the array. */
  gpuBufferSync(): GPUBuffer;
  dispose(): void;
}

/** A traced and compiled function. */
// deno-lint-ignore no-explicit-any
export type JaxFunction = ((...args: any[]) => any) & { dispose?(): void };

/** The part of jax-js that is used here. */
export interface Jax {
  init(...devices: string[]): Promise<string[]>;
  defaultDevice(device: string): void;
  getWebGPUDevice(): GPUDevice;
  jit(f: JaxFunction): JaxFunction;
  vjp(f: JaxFunction, primals: unknown[]): [JaxArray, JaxFunction];
  valueAndGrad(f: JaxFunction, options?: { argnums?: number | number[] }): JaxFunction;
  readonly numpy: {
    array(data: Float32Array | Int32Array): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
    cumsum(a: JaxArray, axis: number): JaxArray;
    sqrt(a: JaxArray): JaxArray;
    square(a: JaxArray): JaxArray;
    exp(a: JaxArray): JaxArray;
    arange(stop: number): JaxArray;
    equal(a: JaxArray, b: JaxArray): JaxArray;
    where(condition: JaxArray, a: JaxArray, b: JaxArray | number): JaxArray;
    take(a: JaxArray, indices: JaxArray, axis: number): JaxArray;
  };
  readonly nn: {
    dotProductAttention(
      q: JaxArray,
      k: JaxArray,
      v: JaxArray,
      options?: { isCausal?: boolean },
    ): JaxArray;
    softmax(x: JaxArray, axis: number): JaxArray;
    logSoftmax(x: JaxArray, axis: number): JaxArray;
    gelu(x: JaxArray, options?: { approximate?: boolean }): JaxArray;
    standardize(x: JaxArray, axis: number, options?: { epsilon?: number }): JaxArray;
  };
}

/** Opens jax-js on its WebGPU backend. */
export async function openJaxJs(): Promise<LibraryAdapter> {
  const [peer] = PEER_PACKAGES["jax-js"];
  const jax = await importPeer(peer) as unknown as Jax;
  const devices = await jax.init("webgpu");
  if (!devices.includes("webgpu")) {
    throw new TypeError(
      `Cannot use jax-js: it offers ${devices.join(", ")}, expected webgpu among them`,
    );
  }
  jax.defaultDevice("webgpu");
  const device = jax.getWebGPUDevice();
  patchJaxScatter(device);
  return {
    name: "jax-js",
    package: peer.name,
    version: peer.version,
    backend: "webgpu",
    device,
    prepare: (spec, inputs, options) =>
      Promise.resolve(prepare(jax, device, spec, inputs, options)),
  };
}

function prepare(
  jax: Jax,
  device: GPUDevice,
  spec: PeerCase,
  inputs: CaseInputs,
  options: PrepareOptions,
): PreparedCase | null {
  const { numpy: np, nn } = jax;
  const upload = (name: string, shape: number[]) => np.array(inputs[name]).reshape(shape);
  switch (spec.operation) {
    case "matmul": {
      const { batch, m, k, n } = spec;
      const lead = batch > 1 ? [batch] : [];
      return jitCase(jax, device, [upload("a", [...lead, m, k]), upload("b", [...lead, k, n])], {
        names: ["product"],
        body: (a: JaxArray, b: JaxArray) => [np.matmul(a, b)],
      });
    }
    case "attention":
      return attentionCase(jax, device, spec, upload);
    case "prefix-sum":
      return jitCase(jax, device, [upload("x", [1, spec.length, spec.width])], {
        names: ["sums"],
        body: (x: JaxArray) => [np.cumsum(x, 1)],
        notes: [
          "inside jit; its eager cumsum needs a buffer over the binding limit and gives wrong sums",
        ],
      });
    case "layer-norm": {
      const { rows, width } = spec;
      const arrays = [
        upload("x", [rows, width]),
        upload("gain", [width]),
        upload("offset", [width]),
      ];
      return jitCase(jax, device, arrays, {
        names: ["normalized"],
        body: (x: JaxArray, gain: JaxArray, offset: JaxArray) => [
          nn.standardize(x, -1, { epsilon: 1e-5 }).mul(gain).add(offset),
        ],
      });
    }
    case "softmax":
      return jitCase(jax, device, [upload("x", [spec.rows, spec.width])], {
        names: ["probabilities"],
        body: (x: JaxArray) => [nn.softmax(x, -1)],
      });
    case "cross-entropy":
      return crossEntropyCase(jax, device, spec, upload);
    case "gpt2-inference":
      return null;
    case "gpt2-step":
      return jaxTrainingCase(jax, device, spec, inputs, options);
  }
}

type Upload = (name: string, shape: number[]) => JaxArray;

function attentionCase(
  jax: Jax,
  device: GPUDevice,
  { length, heads, headDim, causal, phase }: AttentionCase,
  upload: Upload,
): PreparedCase {
  const shape = [1, length, heads, headDim];
  const forward = (q: JaxArray, k: JaxArray, v: JaxArray) =>
    jax.nn.dotProductAttention(q, k, v, { isCausal: causal });
  const inputs = [upload("q", shape), upload("k", shape), upload("v", shape)];
  if (phase === "forward") {
    return jitCase(jax, device, inputs, {
      names: ["output"],
      body: (q: JaxArray, k: JaxArray, v: JaxArray) => [forward(q, k, v)],
    });
  }
  return jitCase(jax, device, [...inputs, upload("gradient", shape)], {
    names: ["output", "dq", "dk", "dv"],
    body: (q: JaxArray, k: JaxArray, v: JaxArray, gradient: JaxArray) => {
      const [output, backward] = jax.vjp(forward, [q, k, v]);
      return [output, ...backward(gradient)];
    },
  });
}

function crossEntropyCase(
  jax: Jax,
  device: GPUDevice,
  { rows, width, vocabulary, phase }: CrossEntropyCase,
  upload: Upload,
): PreparedCase {
  const targets = upload("targets", [rows]);
  const loss = (hidden: JaxArray, table: JaxArray, ids: JaxArray) =>
    jaxCrossEntropy(jax, jax.numpy.matmul(hidden, table.transpose()), ids, vocabulary);
  const inputs = [upload("hidden", [rows, width]), upload("table", [vocabulary, width]), targets];
  const notes = [TARGET_NOTE];
  return phase === "forward"
    ? jitCase(jax, device, inputs, {
      names: ["loss"],
      body: (hidden: JaxArray, table: JaxArray, ids: JaxArray) => [loss(hidden, table, ids)],
      notes,
    })
    : jitCase(jax, device, inputs, {
      names: ["loss", "dHidden", "dTable"],
      body: (hidden: JaxArray, table: JaxArray, ids: JaxArray) => {
        const [value, [dHidden, dTable]] = jax.valueAndGrad(loss, { argnums: [0, 1] })(
          hidden,
          table,
          ids,
        );
        return [value, dHidden, dTable];
      },
      notes,
    });
}

/** Why the loss is not a gather. */
export const TARGET_NOTE =
  "targets picked by comparing with arange: jit of takeAlongAxis fails ('routine primitive scatter input is not imm'), " +
  "and nn.oneHot makes a table of V x V";

/** Mean cross-entropy in nats of logits [N, V] against targets [N]. */
export function jaxCrossEntropy(
  { numpy: np, nn }: Jax,
  logits: JaxArray,
  targets: JaxArray,
  vocabulary: number,
): JaxArray {
  const rows = logits.shape[0];
  const chosen = np.equal(targets.reshape([rows, 1]), np.arange(vocabulary));
  return np.where(chosen, nn.logSoftmax(logits, -1), 0).sum().neg().div(rows);
}

/** Sends lazily recorded work to the GPU: jax-js dispatches nothing until a result is asked for. */
export function issue(arrays: readonly JaxArray[]): void {
  for (const array of arrays) array.ref.gpuBufferSync();
}

interface JitCase {
  readonly names: readonly string[];
  // deno-lint-ignore no-explicit-any
  readonly body: (...args: any[]) => JaxArray[];
  readonly notes?: readonly string[];
}

/** One jitted function of resident arrays; its results are kept until the next run. */
function jitCase(
  jax: Jax,
  device: GPUDevice,
  inputs: readonly JaxArray[],
  { names, body, notes = [] }: JitCase,
): PreparedCase {
  const compiled = jax.jit(body);
  let results: JaxArray[] = [];
  const drop = () => {
    results.forEach((array) => array.dispose());
    results = [];
  };
  const run = () => {
    drop();
    results = compiled(...inputs.map((array) => array.ref));
    issue(results);
  };
  return {
    notes,
    run,
    finish: () => device.queue.onSubmittedWorkDone(),
    async outputs() {
      run();
      const outputs: Record<string, Float32Array> = {};
      for (const [i, name] of names.entries()) outputs[name] = await results[i].ref.data();
      return outputs as CaseOutputs;
    },
    dispose() {
      drop();
      inputs.forEach((array) => array.dispose());
      compiled.dispose?.();
    },
  };
}
