import { encodeOnnx, gpt2Onnx } from "../../train/mod.ts";
import type { PreparedCase } from "./adapter.ts";
import type { InferenceCase } from "./cases.ts";
import { gpt2Weights, weightsByName } from "./gpt2_weights.ts";
import type { CaseInputs } from "./inputs.ts";
import { createSession, type Ort, type OrtTensor } from "./onnxruntime_session.ts";

/** onnxruntime-web with the provider in use. */
export interface OrtProvider {
  readonly ort: Ort;
  readonly backend: "webgpu" | "wasm";
  readonly device: GPUDevice | null;
}

type TensorRecord = Record<string, OrtTensor>;

/** A GPT-2 of our weights, written by our exporter and run by onnxruntime with its cache kept on the device. */
export async function onnxInferenceCase(
  { ort, backend, device }: OrtProvider,
  spec: InferenceCase,
  inputs: CaseInputs,
  seed: number,
): Promise<PreparedCase> {
  const { length, width, heads, layers, vocabulary } = spec;
  const config = { vocabSize: vocabulary, positions: length, width, heads, layers };
  const weights = weightsByName(
    gpt2Weights(spec, seed),
    ({ shape, values }) => ({ shape, data: values }),
  );
  const model = await encodeOnnx(gpt2Onnx(config, weights), "attention-bench");
  const session = await createSession(ort, backend, model);
  const step = spec.phase === "decode" ? 1 : length;
  const int64 = (values: Iterable<number>) => {
    const data = BigInt64Array.from([...values].map(BigInt));
    return new ort.Tensor("int64", data, [1, data.length]);
  };
  const calls = Array.from({ length: length / step }, (_, i) => ({
    input_ids: int64(inputs.ids.subarray(i * step, (i + 1) * step)),
    attention_mask: int64(new Array<number>((i + 1) * step).fill(1)),
    position_ids: int64(Array.from({ length: step }, (_, at) => i * step + at)),
  }));
  const names = Array.from({ length: layers }, (_, i) => [`${i}.key`, `${i}.value`]).flat();
  const nothing = new ort.Tensor("float32", new Float32Array(), [1, heads, 0, width / heads]);
  const drop = (tensors: TensorRecord) =>
    Object.values(tensors).forEach((tensor) => tensor.dispose());

  /** All calls in order, each on the cache of the one before. */
  const generate = async (take: (logits: OrtTensor) => Promise<void> | void) => {
    let past: TensorRecord = {};
    for (const call of calls) {
      const cache = names.map((name) => [
        `past_key_values.${name}`,
        past[`present.${name}`] ?? nothing,
      ]);
      const results = await session.run({ ...call, ...Object.fromEntries(cache) });
      drop(past);
      const { logits, ...present } = results;
      await take(logits);
      logits.dispose();
      past = present;
    }
    drop(past);
  };
  let pending: Promise<void> = Promise.resolve();
  return {
    notes: [
      "weights written by this suite's ONNX exporter; token ids, mask and positions are given from the host in every call",
    ],
    run() {
      pending = pending.then(() => generate(() => {}));
      // The failure is reported by `finish`; without this it would also count as unhandled.
      pending.catch(() => {});
    },
    async finish() {
      const issued = pending;
      pending = Promise.resolve();
      await issued;
      await device?.queue.onSubmittedWorkDone();
    },
    async outputs() {
      const logits = new Float32Array(length * vocabulary);
      let at = 0;
      await generate(async (tensor) => {
        const values = await tensor.getData();
        logits.set(values, at);
        at += values.length;
      });
      return { logits };
    },
    dispose: () => void session.release(),
  };
}
