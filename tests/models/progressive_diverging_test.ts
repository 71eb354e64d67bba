import assert from "node:assert/strict";
import { uniformAt } from "../../engine/mod.ts";
import {
  ConfigError,
  Gpt2,
  growProgressive,
  inheritedParameter,
  ProgressiveDiverging,
} from "../../models/mod.ts";
import { AdamW, growOptimizer } from "../../train/mod.ts";
import { assertClose } from "../_helpers/assert_close.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

const TINY = { vocabSize: 29, positions: 16, width: 8, heads: 2, layers: 4 };
const LORA = { rank: 2, alpha: 4 };

function ids(size: number, stream = 0): Int32Array {
  return Int32Array.from({ length: size }, (_, i) => Math.floor(uniformAt(3, stream, i) * 29));
}

async function logitsOf(
  model: { logits(ids: ReturnType<typeof gpu.tensor>): ReturnType<typeof gpu.tensor> },
) {
  return await gpu.scope(() => gpu.readFloats(model.logits(gpu.tensor(ids(32), [2, 16]))));
}

/** A few optimizer steps, so that no weight is where it started. */
function trainSteps(model: ProgressiveDiverging, optimizer: AdamW, steps = 3): void {
  const [inputs, targets] = [gpu.tensor(ids(32), [2, 16]), gpu.tensor(ids(32, 1), [2, 16])];
  for (let i = 0; i < steps; i++) {
    gpu.scope(() => gpu.withTape((tape) => tape.backward(model.loss(inputs, targets))));
    optimizer.step(0.02);
  }
  inputs.dispose();
  targets.dispose();
}

gpuTest("ProgressiveDiverging has the parameter counts of the source's sizes", () => {
  const sizes = { vocabSize: 50257, positions: 256, width: 192, heads: 6, layers: 12 };
  const counts = ([1, 2, 3] as const).map((stage) => {
    const model = new ProgressiveDiverging(gpu, { ...sizes, stage }, 1);
    const { count, trainableCount } = model.parameters;
    model.dispose();
    return [count, trainableCount];
  });
  // Stage 1 is what the source calls about 11 M: three blocks and a table of 9.65 M.
  assert.deepEqual(counts, [[11_033_472, 11_033_472], [12_404_928, 11_515_584], [
    15_184_704,
    13_332_288,
  ]]);
});

gpuTest("growing keeps the function to 1e-6 and repeats a block in a row", async () => {
  let model = new ProgressiveDiverging(gpu, { ...TINY, stage: 1, lora: LORA }, 1);
  let optimizer = new AdamW(model.parameters);
  trainSteps(model, optimizer);
  for (const stage of [2, 3] as const) {
    const before = await logitsOf(model);
    const grown = growProgressive(model, 9);
    const carried = growOptimizer(
      optimizer,
      grown.parameters,
      (name) => inheritedParameter(name, stage),
    );
    assert.equal(carried.steps, optimizer.steps);
    const after = await logitsOf(grown);
    const worst = after.reduce((most, value, i) => Math.max(most, Math.abs(value - before[i])), 0);
    assert.ok(worst <= 1e-6, `stage ${stage} differs by ${worst}`);
    for (const part of [optimizer, model]) part.dispose();
    [model, optimizer] = [grown, carried];
    // The copies must drift apart, and the branch must learn.
    trainSteps(model, optimizer);
    assert.notDeepEqual(await logitsOf(model), before);
    const branch = await gpu.readFloats(model.parameters.get(`h.0.lora.${stage - 2}.b`));
    assert.ok(branch.some((x) => x !== 0), "the branch learns");
  }
  const [first, second] = await Promise.all(
    ["h.0.mlp.c_fc.weight", "h.1.mlp.c_fc.weight"].map((name) =>
      gpu.readFloats(model.parameters.get(name))
    ),
  );
  assert.notDeepEqual(first, second);
  assert.throws(() => growProgressive(model, 1), /its stage is 3/);
  model.dispose();
  optimizer.dispose();
});

gpuTest("frozen attention and old branches stay as they are", async () => {
  const first = new ProgressiveDiverging(gpu, { ...TINY, stage: 2, lora: LORA }, 1);
  const model = growProgressive(first, 2);
  first.dispose();
  const frozen = [...model.parameters].filter((p) => !p.trainable);
  assert.ok(frozen.some(({ name }) => name === "h.3.attn.c_attn.weight"));
  assert.ok(frozen.some(({ name }) => name === "h.3.lora.0.b"));
  assert.ok(model.parameters.get("h.3.ln_1.weight").trainable);
  const read = () => Promise.all(frozen.map((p) => gpu.readFloats(p)));
  const before = await read();
  const optimizer = new AdamW(model.parameters);
  trainSteps(model, optimizer);
  assert.deepEqual(await read(), before);
  optimizer.dispose();
  model.dispose();
});

gpuTest("merged LoRA equals the unmerged model within 1e-5", async () => {
  const first = new ProgressiveDiverging(gpu, { ...TINY, stage: 2, lora: LORA }, 1);
  const optimizer = new AdamW(first.parameters);
  trainSteps(first, optimizer);
  const model = growProgressive(first, 2);
  const second = new AdamW(model.parameters);
  trainSteps(model, second);
  const unmerged = await logitsOf(model);
  const inference = model.merge();
  const merged = await logitsOf(inference);
  inference.dispose();
  const worst = merged.reduce((most, value, i) => Math.max(most, Math.abs(value - unmerged[i])), 0);
  assert.ok(worst <= 1e-5, `${worst}`);
  assert.ok(worst > 0, "the two forms are computed differently");
  for (const part of [first, optimizer, model, second]) part.dispose();
});

gpuTest(
  "growOptimizer() shares the moments among copies and starts new parameters at zero",
  async () => {
    const model = new ProgressiveDiverging(gpu, { ...TINY, stage: 1, lora: LORA }, 1);
    const optimizer = new AdamW(model.parameters);
    trainSteps(model, optimizer, 1);
    const grown = growProgressive(model, 1);
    const carried = growOptimizer(
      optimizer,
      grown.parameters,
      (name) => inheritedParameter(name, 2),
    );
    const [old, fresh] = [optimizer.moments(), carried.moments()];
    const name = "mlp.c_fc.weight";
    const source = await gpu.readFloats(old.get(`h.0.${name}`)!.second);
    const copy = await gpu.readFloats(fresh.get(`h.1.${name}`)!.second);
    assertClose(
      "second moment",
      copy,
      source.map((x) => x / 4),
    );
    assertClose(
      "embedding's first moment",
      await gpu.readFloats(fresh.get("wte.weight")!.first),
      await gpu.readFloats(old.get("wte.weight")!.first),
    );
    const lora = await gpu.readFloats(fresh.get("h.0.lora.0.a")!.first);
    assert.ok(lora.every((x) => x === 0));
    assert.ok(!fresh.has("h.0.attn.c_attn.weight"), "frozen parameters have no moments");
    for (const { first, second } of [...old.values(), ...fresh.values()]) {
      first.dispose();
      second.dispose();
    }
    for (const part of [optimizer, carried, model, grown]) part.dispose();
  },
);

gpuTest("ProgressiveDiverging in stage 3 without LoRA is GPT-2", async () => {
  const model = new ProgressiveDiverging(gpu, { ...TINY, stage: 3, lora: null }, 7);
  const gpt2 = new Gpt2(gpu, TINY, 7);
  assert.deepEqual(await logitsOf(model), await logitsOf(gpt2));
  assert.equal(model.parameters.count, model.parameters.trainableCount);
  assert.deepEqual(model.flops(1, 16), gpt2.flops(1, 16));
  model.dispose();
  gpt2.dispose();
});

gpuTest("ProgressiveDiverging refuses sizes that do not fit", () => {
  const build = (changes: object) => () =>
    new ProgressiveDiverging(gpu, { ...TINY, stage: 1, ...changes }, 1);
  assert.throws(build({ layers: 6 }), ConfigError);
  assert.throws(build({ stage: 4 }), /stage is 4/);
  assert.throws(build({ lora: { rank: 9, alpha: 1 } }), /rank is 9/);
  assert.throws(build({ width: 9 }), /multiple of heads/);
});
