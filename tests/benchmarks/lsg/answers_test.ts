import assert from "node:assert/strict";
import { fineTune } from "../../../benchmarks/encoder_training/fine_tune.ts";
import { answerInputs, taskLoss } from "../../../benchmarks/lsg/answers.ts";
import type { LongInput } from "../../../benchmarks/lsg/encode_inputs.ts";
import { answerMetrics } from "../../../benchmarks/lsg/quality.ts";
import { uniformAt } from "../../../engine/mod.ts";
import type { TaskContext } from "../../../harness/contract.ts";
import { Bert } from "../../../models/mod.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";

/** Noise with the answer 2 3 somewhere; the second text begins at 3. */
const inputs = Array.from({ length: 128 }, (_, n): LongInput => {
  const ids = Int32Array.from(
    { length: 30 + n % 7 },
    (_, i) => 10 + Math.floor(uniformAt(1, n, i) * 20),
  );
  const start = 4 + Math.floor(uniformAt(2, n, 0) * (ids.length - 6));
  ids.set([2, 3], start);
  const position = ["early", "middle", "late"][n % 3];
  return { id: String(n), label: 0, ids, secondFrom: 3, span: [start, start + 1], position };
});

const context = {
  gpu,
  signal: new AbortController().signal,
  progress: () => {},
} as unknown as TaskContext;

for (const name of ["fused", "lsg"] as const) {
  gpuTest(`answerInputs() finds the spans that taskLoss() trains for, ${name}`, async () => {
    const attention = name === "lsg"
      ? {
        ...{ kind: "lsg" as const, globals: 1, blockSize: 4, sparseBlockSize: 4 },
        ...{ sparsityFactor: 2, sparsityType: "norm" as const },
      }
      : name;
    const model = new Bert(gpu, {
      ...{ vocabSize: 30, positions: 48, width: 16, heads: 2, layers: 2, spanHead: true },
      ...{ attention, initializerRange: 0.25 },
    }, 3);
    const train = inputs.slice(0, 96);
    await fineTune(context, {
      ...{ epochs: 12, batchSize: 16, learningRate: 5e-3 },
      ...{ warmupFraction: 0.1, weightDecay: 0.01, clipNorm: 1 },
    }, {
      ...{ model, documents: () => train, count: 96, padId: 0, seed: 4, label: "toy" },
      loss: taskLoss,
    });
    const test = inputs.slice(96);
    const answers = await answerInputs(context, model, test, 0);
    const right = answers.correct.filter(Boolean).length;
    assert.ok(right >= 29, `${right} of ${test.length} are right`);
    const [accuracy] = answerMetrics(test, answers, 0);
    assert.equal(accuracy.value, right / test.length);
    assert.deepEqual(Object.keys(accuracy.slices!), ["early", "middle", "late"]);
    model.dispose();
  });
}
