import assert from "node:assert/strict";
import { LanguageModellingData, type TokenizedCorpus } from "../../data/mod.ts";
import { uniformAt } from "../../engine/mod.ts";
import {
  ConvAttention,
  growProgressive,
  inheritedParameter,
  ProgressiveDiverging,
  type Stage,
} from "../../models/mod.ts";
import {
  evaluate,
  evaluatePositions,
  makeSchedule,
  meanLossOf,
  type TrainingStage,
  trainInStages,
} from "../../train/mod.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

const SIZES = { vocabSize: 29, positions: 16, width: 8, heads: 2, layers: 4 };
const LORA = { rank: 2, alpha: 4 };

function corpus(length: number, stream: number): TokenizedCorpus {
  return {
    ids: Int32Array.from({ length }, (_, i) => Math.floor(uniformAt(1, stream, i) ** 2 * 29)),
    byteLengths: new Uint16Array(length).fill(1),
    vocabSize: 29,
    endOfText: 0,
    lossless: true,
  };
}

const TRAIN = new LanguageModellingData(corpus(700, 1), { blockLength: 16 });
const VALIDATION = new LanguageModellingData(corpus(200, 2), { blockLength: 16 });

function stages(ends = [4, 8, 12]): TrainingStage<ProgressiveDiverging>[] {
  return ends.map((until, i) => {
    const stage = i + 1 as Stage;
    return {
      until,
      build: () => new ProgressiveDiverging(gpu, { ...SIZES, stage, lora: LORA }, 1),
      grow: (previous) => growProgressive(previous, 1),
      origin: (name) => inheritedParameter(name, stage),
    };
  });
}

/** Trains in stages; `stopAt` aborts after that step, `files` are the checkpoints. */
async function run(files: Map<number, Uint8Array>, stopAt = Infinity) {
  const controller = new AbortController();
  const result = await trainInStages({
    stages: stages(),
    train: TRAIN,
    validation: VALIDATION,
    batchSize: 2,
    accumulate: 2,
    schedule: makeSchedule("cosine", { learningRate: 0.02, steps: 12, warmupSteps: 2 }),
    optimizer: { clipNorm: 1, weightDecay: 0.1, beta2: 0.95 },
    seed: 5,
    evaluations: 2,
    checkpoint: (stage) => ({
      load: () => Promise.resolve(files.get(stage)),
      save: (bytes) => Promise.resolve(void files.set(stage, bytes)),
    }),
    onStep: (step) => {
      if (step >= stopAt) controller.abort();
    },
    signal: controller.signal,
  });
  const losses = result.stages.flatMap(({ history }) => history.losses);
  const validations = result.stages.flatMap(({ history }) => history.validations);
  const weights = await gpu.readFloats(result.model.parameters.get("wte.weight"));
  result.model.dispose();
  return { losses, validations, weights, stages: result.stages };
}

gpuTest("trainInStages() resumed in any stage continues bit for bit", async () => {
  const straight = await run(new Map());
  assert.deepEqual(straight.losses.map(([step]) => step), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  for (const stopAt of [3, 4, 6, 9, 11]) {
    const files = new Map<number, Uint8Array>();
    await assert.rejects(run(files, stopAt), { name: "AbortError" });
    const resumed = await run(files);
    assert.deepEqual(resumed.losses, straight.losses, `stopped at ${stopAt}`);
    assert.deepEqual(resumed.validations, straight.validations, `stopped at ${stopAt}`);
    assert.deepEqual(resumed.weights, straight.weights, `stopped at ${stopAt}`);
  }
});

gpuTest("a stage switch leaves the validation loss as it was", async () => {
  const { stages } = await run(new Map());
  for (const [i, stage] of stages.entries()) {
    if (i === 0) assert.equal(stage.lossAfterSwitch, null);
    else {
      const before = stages[i - 1].history.validations.at(-1)![1];
      assert.ok(Math.abs(stage.lossAfterSwitch! - before) <= 1e-6);
      assert.ok(stage.trainableParameters < stage.parameters);
    }
  }
});

gpuTest("trainInStages() refuses stages without steps", async () => {
  await assert.rejects(
    trainInStages({
      stages: stages([4, 4, 8]),
      train: TRAIN,
      validation: VALIDATION,
      batchSize: 2,
      schedule: () => 0,
      optimizer: {},
      seed: 1,
      evaluations: 1,
    }),
    /they end at steps 4, 4, 8/,
  );
});

gpuTest("evaluatePositions() agrees with evaluate() and splits by position", async () => {
  const sizes = { vocabSize: 29, positions: 16, width: 8, heads: 2, factor: 2, levels: 2 };
  const model = new ConvAttention(gpu, { ...sizes, form: "causal" }, 1);
  const data = new LanguageModellingData(corpus(203, 2), { blockLength: 16, horizon: 4 });
  const whole = await evaluate(model, data, { batchSize: 5 });
  const parts = await evaluatePositions(model, data, { batchSize: 5 });
  assert.ok(Math.abs(whole.loss - parts.loss) < 1e-5);
  assert.equal(whole.tokens, parts.tokens);
  assert.equal(parts.lossAt.length, 16);
  const [seen, unseen] = [meanLossOf(parts, 0, 12)!, meanLossOf(parts, 12, 16)!];
  assert.equal(seen.tokens + unseen.tokens, whole.tokens);
  const pooled = (seen.loss * seen.tokens + unseen.loss * unseen.tokens) / whole.tokens;
  assert.ok(Math.abs(pooled - parts.loss) < 1e-9);
  assert.equal(meanLossOf(parts, 16, 20), null);
  model.dispose();
});
