import assert from "node:assert/strict";
import { type GpuCounters, matmul, normal, ParameterSet } from "../../engine/mod.ts";
import {
  AdamW,
  loadCheckpoint,
  makeSchedule,
  readSafetensors,
  SafetensorsError,
  saveCheckpoint,
  train,
  writeSafetensors,
} from "../../train/mod.ts";
import { randomArray } from "../_helpers/gradients.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

function tinyModel(seed: number) {
  const parameters = new ParameterSet(gpu, seed);
  const a = parameters.add("a", [6, 5], normal(0.5));
  const b = parameters.add("b", [5, 1], normal(0.5));
  parameters.allocate();
  return { parameters, a, b };
}

/** Trains x A B towards larger values and returns the losses of steps first..last-1. */
async function losses(
  model: ReturnType<typeof tinyModel>,
  optimizer: AdamW,
  firstStep: number,
  steps: number,
  pause?: () => void,
): Promise<number[]> {
  const result: number[] = [];
  await train({
    gpu,
    optimizer,
    schedule: makeSchedule("cosine", { learningRate: 0.01, steps: 20, warmupSteps: 2 }),
    firstStep,
    steps,
    accumulate: 2,
    loss: (step, part, inputs) => {
      const x = inputs.upload(`x${part}`, randomArray(6, step * 2 + part), [1, 6]);
      return matmul(matmul(x, model.a), model.b, { activation: "gelu" });
    },
    onStep: ({ loss }) => result.push(loss),
    pauseAfter: (step) => pause !== undefined && (step === 5 || step === 9),
    afterStep: pause,
  });
  return result;
}

gpuTest("train() resumed from a checkpoint continues bit for bit", async () => {
  const straight = tinyModel(1);
  const straightOptimizer = new AdamW(straight.parameters, { clipNorm: 1 });
  const expected = await losses(straight, straightOptimizer, 0, 9);

  const first = tinyModel(1);
  const firstOptimizer = new AdamW(first.parameters, { clipNorm: 1 });
  const start = await losses(first, firstOptimizer, 0, 4);
  const bytes = await saveCheckpoint(first.parameters, firstOptimizer, { note: "half way" });

  const second = tinyModel(2);
  const secondOptimizer = new AdamW(second.parameters, { clipNorm: 1 });
  const state = await loadCheckpoint(bytes, second.parameters, secondOptimizer);
  assert.deepEqual(state, { step: 4, extra: { note: "half way" } });
  const rest = await losses(second, secondOptimizer, 4, 9);
  assert.deepEqual([...start, ...rest], expected);
  assert.equal(new Set(expected).size, expected.length, "the losses of different steps differ");
  for (const x of [straight, first, second]) x.parameters.dispose();
  for (const x of [straightOptimizer, firstOptimizer, secondOptimizer]) x.dispose();
});

gpuTest("a steady training step creates no GPU object and is one submission", async () => {
  const model = tinyModel(3);
  const optimizer = new AdamW(model.parameters);
  const snapshots: { counters: GpuCounters; live: number }[] = [];
  await losses(model, optimizer, 0, 12, () => {
    snapshots.push({ counters: gpu.counters, live: gpu.memory.liveBytes });
  });
  // Pauses after steps 5 and 9: four steady steps lie between.
  const [before, after] = snapshots;
  assert.equal(after.counters.submissions - before.counters.submissions, 4);
  assert.ok(after.counters.dispatches - before.counters.dispatches > 4 * 10);
  assert.equal(after.counters.pipelinesCreated, before.counters.pipelinesCreated);
  assert.equal(after.counters.buffersCreated, before.counters.buffersCreated);
  assert.equal(after.counters.bindGroupsCreated, before.counters.bindGroupsCreated);
  assert.equal(after.live, before.live, "a step ends with the bytes it began with");
  model.parameters.dispose();
  optimizer.dispose();
});

gpuTest("loadCheckpoint() refuses damaged files and other models", async () => {
  const model = tinyModel(1);
  const optimizer = new AdamW(model.parameters);
  const bytes = await saveCheckpoint(model.parameters, optimizer);
  await assert.rejects(
    loadCheckpoint(bytes.subarray(0, bytes.length - 9), model.parameters, optimizer),
    SafetensorsError,
  );
  const flipped = bytes.slice();
  flipped[flipped.length - 3] ^= 1;
  await assert.rejects(loadCheckpoint(flipped, model.parameters, optimizer), /SHA-256/);
  const other = new ParameterSet(gpu, 0);
  other.add("a", [2, 2], normal(1));
  other.allocate();
  await assert.rejects(loadCheckpoint(bytes, other), /the model expects \[2,2\]/);
  model.parameters.dispose();
  optimizer.dispose();
  other.dispose();
});

Deno.test("safetensors round-trips and refuses malformed files", () => {
  const file = writeSafetensors(
    new Map<string, { shape: number[]; data: Float32Array | Int32Array }>([
      ["w", { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, -6.5) }],
      ["ids", { shape: [2], data: Int32Array.of(7, -1) }],
      ["empty", { shape: [0], data: new Float32Array() }],
    ]),
    { format: "pt" },
  );
  const { tensors, metadata } = readSafetensors(file);
  assert.deepEqual(metadata, { format: "pt" });
  assert.deepEqual(tensors.get("w"), {
    shape: [2, 3],
    type: "F32",
    data: Float32Array.of(1, 2, 3, 4, 5, -6.5),
  });
  assert.deepEqual(tensors.get("ids")!.data, Int32Array.of(7, -1));
  assert.equal(tensors.get("empty")!.data.length, 0);
  assert.throws(() => readSafetensors(file.subarray(0, 5)), /5 bytes/);
  assert.throws(() => readSafetensors(file.subarray(0, file.length - 4)), /its header describes/);
  const broken = file.slice();
  broken[8] = 0x21;
  assert.throws(() => readSafetensors(broken), /not JSON/);
  const huge = file.slice();
  new DataView(huge.buffer).setBigUint64(0, 1n << 40n, true);
  assert.throws(() => readSafetensors(huge), /claims/);
});
