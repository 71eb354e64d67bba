import assert from "node:assert/strict";
import { presets } from "../../../benchmarks/truncation/presets.ts";
import { classificationLoss, fineTune } from "../../../benchmarks/encoder_training/fine_tune.ts";
import { predict } from "../../../benchmarks/encoder_training/predict.ts";
import { memoryEstimate } from "../../../benchmarks/truncation/memory_estimate.ts";
import { buildDictionary } from "../../../benchmarks/truncation/scorer.ts";
import { uniformAt } from "../../../engine/mod.ts";
import type { TaskContext } from "../../../harness/contract.ts";
import { Bert } from "../../../models/mod.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";

const CLASSES = 3;
const [PAD, CLS] = [0, 1];

/** Noise with one token somewhere that names the class. */
const documents = Array.from({ length: 96 }, (_, n) => {
  const label = n % CLASSES;
  const ids = Int32Array.from(
    { length: 12 + n % 5 },
    (_, i) => 10 + Math.floor(uniformAt(1, n, i) * 20),
  );
  ids[0] = CLS;
  ids[1 + Math.floor(uniformAt(2, n, 0) * (ids.length - 1))] = 2 + label;
  return { ids, label };
});

const context = {
  gpu,
  signal: new AbortController().signal,
  progress: () => {},
} as unknown as TaskContext;

const settings = { ...presets.smoke.fineTuning, epochs: 12, batchSize: 16, learningRate: 5e-3 };

gpuTest("fineTune() learns to find the token that names the class", async () => {
  const sizes = { vocabSize: 30, positions: 24, width: 16, heads: 2, layers: 2, classes: CLASSES };
  const model = new Bert(gpu, { ...sizes, initializerRange: 0.25 }, 3);
  const epochs: number[] = [];
  const train = documents.slice(0, 72);
  const { losses } = await fineTune(context, settings, {
    loss: classificationLoss,
    model,
    documents: (epoch) => {
      epochs.push(epoch);
      return train;
    },
    count: train.length,
    padId: PAD,
    seed: 4,
    label: "toy",
  });
  assert.deepEqual(epochs, Array.from({ length: 12 }, (_, i) => i));
  assert.equal(losses.length, 12 * Math.ceil(72 / 16));
  const test = documents.slice(72);
  const labels = await predict(context, model, test, PAD);
  const right = test.filter(({ label }, i) => label === labels[i]).length;
  assert.ok(right >= 22, `${right} of ${test.length} are right`);
  // The tokens that matter must be the ones the model attends to.
  const dictionary = await buildDictionary(model, train.map(({ ids }) => ids), {
    scoring: "received",
  });
  const table = dictionary.table();
  const mean = (ids: number[]) => ids.reduce((sum, id) => sum + table.get(id)!, 0) / ids.length;
  const named = mean([2, 3, 4]);
  const noise = mean([...table.keys()].filter((id) => id >= 10));
  assert.ok(named > noise, `class tokens score ${named}, noise ${noise}`);
  model.dispose();
});

Deno.test("memoryEstimate() grows with the model", () => {
  const { smoke, small, paper } = presets;
  assert.ok(memoryEstimate(smoke) < memoryEstimate(small));
  assert.ok(memoryEstimate(paper) > 2 ** 30);
});
