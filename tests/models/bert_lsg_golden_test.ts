import assert from "node:assert/strict";
import {
  Bert,
  type BertConfig,
  bertConfigFromJson,
  loadBertWeights,
  type LsgEncoderAttention,
  type PublishedTensor,
} from "../../models/mod.ts";
import { assertClose } from "../_helpers/assert_close.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";
import {
  convertedForms,
  convertedTensors,
  integers,
  type LsgGolden,
  readLsgGolden,
  sourceTensors,
} from "./golden_lsg.ts";

const ARCHITECTURES = [
  ...["bert", "albert", "electra", "distilbert", "roberta", "camembert", "xlm_roberta"],
];

/** Compares the encoder of these weights with the recorded outputs, padding included. */
async function check(
  label: string,
  file: LsgGolden,
  config: BertConfig,
  tensors: ReadonlyMap<string, PublishedTensor>,
  outputs: LsgGolden["outputs"]["source"],
): Promise<void> {
  const model = new Bert(gpu, config, 1);
  const { missing } = loadBertWeights(model, tensors);
  assert.deepEqual(missing, []);
  for (const [name, { output }] of Object.entries(outputs)) {
    const { ids, mask } = file.inputs[name];
    const got = await gpu.scope(() =>
      gpu.readFloats(model.hidden(integers(ids), { keyMask: integers(mask) }))
    );
    assertClose(`${label} ${name}`, got, output.data, { relative: 1e-5 });
    got.forEach((value, i) => assert.ok(Math.abs(value - output.data[i]) < 1e-4, `${label} ${i}`));
  }
  model.dispose();
}

for (const architecture of ARCHITECTURES) {
  gpuTest(`Bert gives the states of transformers' ${architecture}`, async () => {
    const file = readLsgGolden(architecture);
    const config = bertConfigFromJson(file.config);
    await check(architecture, file, config, sourceTensors(file), file.outputs.source);
  });

  gpuTest(`Bert gives the states of ${architecture} converted by lsg-converter`, async () => {
    const file = readLsgGolden(architecture);
    const config = bertConfigFromJson(file.converted_config);
    const attention = config.attention as LsgEncoderAttention;
    assert.deepEqual([attention.kind, attention.globals, attention.blockSize], ["lsg", 2, 4]);
    for (const { label, outputs, attention: own } of convertedForms(file, attention)) {
      const changed = { ...config, attention: own };
      await check(`${architecture} ${label}`, file, changed, convertedTensors(file), outputs);
    }
  });
}

gpuTest(
  "Bert gives the states of a converted bert that pools or hides its first token",
  async () => {
    const file = readLsgGolden("bert");
    const options = Object.entries(file.outputs.options!);
    assert.deepEqual(options.map(([name]) => name), ["pooled", "first_hidden"]);
    for (const [name, { set, outputs }] of options) {
      const config = bertConfigFromJson({ ...file.converted_config, ...set });
      for (const form of ["fused", "naive"] as const) {
        const attention = { ...config.attention as LsgEncoderAttention, form };
        const label = `${name} ${form}`;
        await check(label, file, { ...config, attention }, convertedTensors(file), outputs);
      }
    }
  },
);

gpuTest("loadBertWeights() reads masked heads of every family", async () => {
  for (const architecture of ["bert", "albert", "distilbert", "roberta"]) {
    const file = readLsgGolden(architecture);
    const model = new Bert(gpu, { ...bertConfigFromJson(file.config), maskedHead: true }, 1);
    const { missing, unused } = loadBertWeights(model, sourceTensors(file));
    assert.deepEqual(missing, [], architecture);
    assert.ok(unused.every((key) => /pooler|seq_relationship|sop_/.test(key)), unused.join());
    const ids = integers(file.inputs.short.ids);
    const logits = await gpu.scope(() => gpu.readFloats(model.maskedLogits(ids)));
    assert.equal(logits.length, 2 * 7 * 40);
    assert.ok(logits.every(Number.isFinite), architecture);
    model.dispose();
  }
});
