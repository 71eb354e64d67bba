import assert from "node:assert/strict";
import * as ort from "onnxruntime-web";
import { Leap, type LeapConfig } from "../../../models/mod.ts";
import { huggingFaceFolder, LEAP_MODEL_TYPE } from "../../../train/mod.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";
import { byteCheckpoint } from "./_exported_model.ts";

ort.env.logLevel = "error";
ort.env.wasm.numThreads = 1;

const V = 257;

for (const variant of ["2022-08", "1.0", "1.0.1"] as const) {
  gpuTest(`leapOnnx() gives onnxruntime the logits of our engine, ${variant}`, async () => {
    // A window inside one block, one that takes several and a global layer.
    const sizes = { vocabSize: V, positions: 24, width: 24, heads: 3, layers: 3 };
    await compare({ ...sizes, variant, windows: [4, 7, 24], initializerRange: 0.2 });
  });
}

async function compare(config: LeapConfig): Promise<void> {
  const model = new Leap(gpu, config, 3);
  const { files, notes } = await huggingFaceFolder(await byteCheckpoint(model), "tiny");
  assert.deepEqual(notes, []);
  const { model_type, variant, windows } = JSON.parse(files.get("config.json") as string);
  assert.deepEqual([model_type, variant, windows], [LEAP_MODEL_TYPE, config.variant, [4, 7, 24]]);
  const session = await ort.InferenceSession.create(files.get("onnx/model.onnx") as Uint8Array, {
    executionProviders: ["wasm"],
  });
  const B = 2;
  // Shorter than every window but one, a multiple of one, and neither.
  for (const T of [3, 21, 23]) {
    const ids = Int32Array.from({ length: B * T }, (_, i) => (i * 37 + 11) % V);
    const mask = Int32Array.from(ids, (_, i) => i === B * T - 1 ? 0 : 1);
    const ours = await gpu.readFloats(
      gpu.scope(() => model.logits(gpu.tensor(ids, [B, T]), { keyMask: gpu.tensor(mask, [B, T]) })),
    );
    const int64 = (values: Int32Array) =>
      new ort.Tensor("int64", BigInt64Array.from(Array.from(values), BigInt), [B, T]);
    const { logits } = await session.run({ input_ids: int64(ids), attention_mask: int64(mask) });
    assert.deepEqual(logits.dims, [B, T, V]);
    const theirs = logits.data as Float32Array;
    const worst = ours.reduce((most, x, i) => Math.max(most, Math.abs(x - theirs[i])), 0);
    assert.ok(worst < 5e-5, `T ${T}: the largest difference is ${worst}`);
    const size = ours.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    assert.ok(size > 1, `T ${T}: logits of at most ${size} show no difference`);
  }
  await session.release();
  model.dispose();
}
