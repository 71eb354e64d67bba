import assert from "node:assert/strict";
import type { InferenceSession, Tensor } from "onnxruntime-web";
import * as ort from "onnxruntime-web";
import { huggingFaceFolder } from "../../../train/mod.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";
import { byteCheckpoint, tinyGpt2 } from "./_exported_model.ts";

ort.env.logLevel = "error";
ort.env.wasm.numThreads = 1;

const int64 = (values: ArrayLike<number>, dims: number[]) =>
  new ort.Tensor("int64", BigInt64Array.from(Array.from(values), BigInt), dims);

/** Feeds of tokens [B, T] that follow `past` tokens; the cache of a first call is empty. */
function feeds(
  ids: number[],
  [B, T]: [number, number],
  cache: Record<string, Tensor> | undefined,
  mask: number[],
): InferenceSession.FeedsType {
  const past = mask.length / B - T;
  const empty = () => new ort.Tensor("float32", new Float32Array(), [B, 3, 0, 8]);
  const caches = [0, 1].flatMap((layer) =>
    ["key", "value"].map((part) => [
      `past_key_values.${layer}.${part}`,
      cache?.[`present.${layer}.${part}`] ?? empty(),
    ])
  );
  return {
    input_ids: int64(ids, [B, T]),
    attention_mask: int64(mask, [B, past + T]),
    position_ids: int64(ids.map((_, i) => past + i % T), [B, T]),
    ...Object.fromEntries(caches),
  };
}

const ones = (count: number) => new Array<number>(count).fill(1);

gpuTest(
  "gpt2Onnx() gives onnxruntime the logits of our engine, with and without a cache",
  async () => {
    const model = tinyGpt2();
    const { files } = await huggingFaceFolder(await byteCheckpoint(model), "tiny");
    const session = await ort.InferenceSession.create(files.get("onnx/model.onnx") as Uint8Array, {
      executionProviders: ["wasm"],
    });
    try {
      const [B, T, V] = [2, 13, 257];
      const ids = Array.from({ length: B * T }, (_, i) => (i * 37 + 11) % V);
      const ours = await gpu.readFloats(
        gpu.scope(() => model.logits(gpu.tensor(Int32Array.from(ids), [B, T]))),
      );
      const whole = await session.run(feeds(ids, [B, T], undefined, ones(B * T)));
      assert.deepEqual(whole.logits.dims, [B, T, V]);
      assert.ok(spread(ours) > 1, "the logits must differ for the comparison to mean something");
      assertClose(whole.logits.data as Float32Array, ours);

      // The same tokens in two calls, the second one on the cache of the first.
      const first = 9;
      const part = (from: number, to: number) =>
        [0, 1].flatMap((row) => ids.slice(row * T + from, row * T + to));
      const begin = await session.run(
        feeds(part(0, first), [B, first], undefined, ones(B * first)),
      );
      const rest = await session.run(feeds(part(first, T), [B, T - first], begin, ones(B * T)));
      assert.deepEqual(rest["present.1.key"].dims, [B, 3, T, 8]);
      assertClose(
        rest.logits.data as Float32Array,
        Float32Array.from(
          [0, 1].flatMap((row) =>
            Array.from(ours.subarray((row * T + first) * V, (row + 1) * T * V))
          ),
        ),
      );

      // Padding in front is hidden by the mask alone; behind the text it would be hidden by causality too.
      const shifted = await session.run({
        ...feeds([0, 0, ...ids.slice(0, T)], [1, T + 2], undefined, [0, 0, ...ones(T)]),
        position_ids: int64([
          0,
          0,
          ...Array.from({ length: T }, (_, i) => i),
        ], [1, T + 2]),
      });
      assertClose(
        (shifted.logits.data as Float32Array).subarray(2 * V),
        ours.subarray(0, T * V),
      );
    } finally {
      await session.release();
      model.dispose();
    }
  },
);

function spread(values: Float32Array): number {
  return values.reduce((a, b) => Math.max(a, b)) - values.reduce((a, b) => Math.min(a, b));
}

function assertClose(actual: Float32Array, expected: Float32Array): void {
  assert.equal(actual.length, expected.length);
  const worst = expected.reduce((most, x, i) => Math.max(most, Math.abs(x - actual[i])), 0);
  assert.ok(worst < 2e-5, `the largest difference is ${worst}`);
}
