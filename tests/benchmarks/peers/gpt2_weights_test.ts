import assert from "node:assert/strict";
import type { Gpt2Case } from "../../../benchmarks/peers/cases.ts";
import { gpt2Weights } from "../../../benchmarks/peers/gpt2_weights.ts";
import { Gpt2 } from "../../../models/mod.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";

gpuTest("gpt2Weights() gives the peers the weights of our model, bit for bit", async () => {
  const spec: Gpt2Case = {
    operation: "gpt2-step",
    batch: 1,
    length: 8,
    width: 16,
    heads: 2,
    layers: 2,
    vocabulary: 20,
  };
  const config = { vocabSize: 20, positions: 8, width: 16, heads: 2, layers: 2 };
  const model = new Gpt2(gpu, config, 11);
  const weights = gpt2Weights(spec, 11);
  const parameters = [...model.parameters];
  assert.deepEqual(
    weights.map(({ name }) => name).sort(),
    parameters.map(({ name }) => name).sort(),
  );
  for (const parameter of parameters) {
    const weight = weights.find(({ name }) => name === parameter.name)!;
    assert.deepEqual([...weight.shape], [...parameter.shape], parameter.name);
    assert.equal(weight.decay, parameter.decay, parameter.name);
    assert.deepEqual(await gpu.readFloats(parameter), weight.values, parameter.name);
  }
  model.dispose();
});
