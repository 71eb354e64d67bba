import assert from "node:assert/strict";
import { benchmark } from "../../../benchmarks/conv_attention/bench.ts";
import { convAttentionConfigSchema } from "../../../benchmarks/conv_attention/config.ts";
import {
  accumulateOf,
  buildModel,
  gpt2Parameters,
  widthForParameters,
} from "../../../benchmarks/conv_attention/models.ts";
import { presets } from "../../../benchmarks/conv_attention/presets.ts";
import { stageEnds } from "../../../benchmarks/conv_attention/training.ts";
import { VARIANTS } from "../../../benchmarks/conv_attention/variants.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";

const problems = (changes: Record<string, object>) => {
  const { smoke } = presets;
  const merged = Object.fromEntries(
    Object.entries(smoke).map(([key, value]) => [
      key,
      typeof value === "object" && !Array.isArray(value) ? { ...value, ...changes[key] } : value,
    ]),
  );
  const { error } = convAttentionConfigSchema.safeParse(merged);
  return error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) ?? [];
};

Deno.test("the configuration refuses sizes that do not fit and says why", () => {
  assert.deepEqual(problems({}), []);
  assert.match(problems({ training: { blockLength: 60 } })[0], /expected a multiple of .* \(16\)/);
  assert.match(problems({ training: { blockLength: 16 } })[0], /more than the horizon/);
  assert.match(problems({ model: { baseLength: 48 } })[0], /expected a divisor/);
  assert.match(problems({ conv: { width: 9 } })[0], /conv.width: .* not a multiple/);
  assert.match(problems({ model: { layers: 6 } })[0], /multiple of 4/);
  assert.match(problems({ progressive: { rank: 99 } })[0], /over model.width/);
  assert.match(
    problems({ progressive: { stageFractions: [0.5, 0.4, 0.4] } })[0],
    /add up to 1\.3/,
  );
});

Deno.test("the paper preset is the source's recipe", () => {
  const { training, model, conv, progressive } = presets.paper;
  const { batchSize, blockLength, accumulate, warmupFraction, steps } = training;
  assert.equal(batchSize * blockLength * accumulate, 524_288);
  assert.equal(Math.round(warmupFraction * steps!), 715);
  assert.deepEqual([training.learningRate, training.minLearningRateFraction], [6e-4, 0.1]);
  assert.deepEqual([training.beta1, training.beta2, training.weightDecay, training.clipNorm], [
    ...[0.9, 0.95, 0.1, 1],
  ]);
  for (const variant of VARIANTS) {
    const length = variant.startsWith("gpt2_") || variant.startsWith("conv") ? 1024 : 256;
    assert.equal(batchSize * length * accumulateOf(presets.paper, variant), 524_288, variant);
  }
  assert.equal(gpt2Parameters({ ...model, vocabSize: 50257, positions: 256 }), 15_037_248);
  assert.deepEqual([conv.width, conv.factor, conv.levels], [48, 4, 3]);
  assert.deepEqual([progressive.rank, progressive.alpha], [8, 16]);
  assert.deepEqual(stageEnds(presets.paper, 30), [10, 20, 30]);
});

Deno.test("the plan audits each model once and trains every variant with every seed", () => {
  for (const preset of Object.values(presets)) {
    const tasks = benchmark.tasks(preset);
    assert.equal(new Set(tasks.map(({ id }) => id)).size, tasks.length);
    const kinds = Object.groupBy(tasks, ({ kind }) => kind);
    assert.equal(kinds.train!.length, preset.seeds * preset.variants.length);
    assert.equal(kinds.audit!.length, 6);
    assert.equal(kinds.speed!.length, 1);
    assert.ok(benchmark.memoryEstimate!(preset) > 0);
  }
});

gpuTest("gpt2_equal_parameters comes as near to conv_attention as its heads allow", () => {
  const { smoke } = presets;
  const build = (variant: "conv_attention" | "gpt2_equal_parameters") => {
    const model = buildModel(gpu, smoke, variant, 257, 1);
    const { count } = model.parameters;
    model.dispose();
    return count;
  };
  const sizes = { vocabSize: 257, positions: 64, width: 1, heads: 2, layers: 4 };
  const wanted = build("conv_attention");
  const width = widthForParameters(sizes, wanted);
  assert.equal(build("gpt2_equal_parameters"), gpt2Parameters({ ...sizes, width }));
  for (const other of [width - 2, width + 2]) {
    assert.ok(
      Math.abs(gpt2Parameters({ ...sizes, width: other }) - wanted) >=
        Math.abs(gpt2Parameters({ ...sizes, width }) - wanted),
    );
  }
});
