import assert from "node:assert/strict";
import {
  Bart,
  type BartConfig,
  bartConfigFromJson,
  loadBartWeights,
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

/** Compares encoder states and logits of these weights with the recorded ones, padding included. */
async function check(
  label: string,
  file: LsgGolden,
  config: BartConfig,
  tensors: ReadonlyMap<string, PublishedTensor>,
  outputs: LsgGolden["outputs"]["source"],
): Promise<void> {
  const model = new Bart(gpu, config, 1);
  const { missing, unused } = loadBartWeights(model, tensors);
  assert.deepEqual([missing, unused], [[], []]);
  const decoderIds = integers(file.decoder_ids!);
  for (const [name, { output, logits }] of Object.entries(outputs)) {
    const [ids, keyMask] = [integers(file.inputs[name].ids), integers(file.inputs[name].mask)];
    const found = gpu.scope(() => ({
      states: gpu.readLater(model.encoderHidden(ids, { keyMask })).value,
      logits: gpu.readLater(model.logits(ids, decoderIds, { keyMask })).value,
    }));
    gpu.submit();
    for (
      const [what, got, want] of [
        ["states", await found.states, output],
        ["logits", await found.logits, logits!],
      ] as const
    ) {
      assertClose(`${label} ${name} ${what}`, got, want.data, { relative: 1e-5 });
      got.forEach((value, i) =>
        assert.ok(Math.abs(value - want.data[i]) < 1e-4, `${label} ${what} ${i}`)
      );
    }
  }
  model.dispose();
}

for (const architecture of ["bart", "mbart", "barthez", "pegasus"]) {
  gpuTest(`Bart gives states and logits of transformers' ${architecture}`, async () => {
    const file = readLsgGolden(architecture);
    const config = bartConfigFromJson(file.config);
    await check(architecture, file, config, sourceTensors(file), file.outputs.source);
    const naive = { ...config, attention: "naive" as const };
    await check(architecture, file, naive, sourceTensors(file), file.outputs.source);
  });

  gpuTest(
    `Bart gives states and logits of ${architecture} converted by lsg-converter`,
    async () => {
      const file = readLsgGolden(architecture);
      const config = bartConfigFromJson(file.converted_config);
      const attention = config.attention as LsgEncoderAttention;
      assert.deepEqual([attention.globals, config.passGlobals, config.positions], [2, true, 1024]);
      for (const { label, outputs, attention: own } of convertedForms(file, attention)) {
        const changed = { ...config, attention: own };
        await check(`${architecture} ${label}`, file, changed, convertedTensors(file), outputs);
      }
    },
  );
}

gpuTest(
  "Bart gives states and logits of a converted bart that drops its global tokens",
  async () => {
    const file = readLsgGolden("bart");
    const options = Object.entries(file.outputs.options!);
    const names = ["not_passed", "not_passed_pooled", "passed_pooled"];
    assert.deepEqual(options.map(([name]) => name), names);
    for (const [name, { set, outputs }] of options) {
      const config = bartConfigFromJson({ ...file.converted_config, ...set });
      for (const form of ["fused", "naive"] as const) {
        const attention = { ...config.attention as LsgEncoderAttention, form };
        const label = `${name} ${form}`;
        await check(label, file, { ...config, attention }, convertedTensors(file), outputs);
      }
    }
  },
);

gpuTest("loadBartWeights() makes sinusoidal positions where the file has none", async () => {
  const file = readLsgGolden("pegasus");
  const tensors = new Map(
    [...sourceTensors(file)].filter(([key]) => !key.endsWith("embed_positions.weight")),
  );
  const model = new Bart(gpu, bartConfigFromJson(file.config), 1);
  const { missing } = loadBartWeights(model, tensors);
  assert.deepEqual(missing, ["embeddings.encoder_positions", "embeddings.decoder_positions"]);
  const { ids, mask } = file.inputs.long;
  const got = await gpu.scope(() =>
    gpu.readFloats(model.encoderHidden(integers(ids), { keyMask: integers(mask) }))
  );
  assertClose("states", got, file.outputs.source.long.output.data, { relative: 1e-5 });
  model.dispose();
});
