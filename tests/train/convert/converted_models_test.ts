import assert from "node:assert/strict";
import {
  Bart,
  bartConfigFromJson,
  Bert,
  bertConfigFromJson,
  loadBartWeights,
  loadBertWeights,
} from "../../../models/mod.ts";
import { ARCHITECTURE_TYPES, convertCheckpoint } from "../../../train/convert/mod.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";
import { integers, readLsgGolden } from "../../models/golden_lsg.ts";
import { GOLDEN_OPTIONS, goldenArchitecture, goldenSource } from "./_lsg_golden.ts";

function assertNear(label: string, actual: ArrayLike<number>, expected: readonly number[]) {
  assert.equal(actual.length, expected.length, label);
  const far = expected.findIndex((value, i) => !(Math.abs(actual[i] - value) < 1e-4));
  assert.equal(far, -1, `${label}: ${actual[far]} at ${far}, expected ${expected[far]}`);
}

for (const type of ARCHITECTURE_TYPES) {
  gpuTest(`a ${type} converted here gives the outputs of the reference's conversion`, async () => {
    const source = goldenSource(goldenArchitecture(type));
    const options = { ...GOLDEN_OPTIONS, modelType: type };
    const { config, replaced } = await convertCheckpoint(source, options);
    const tensors = new Map<string, { shape: readonly number[]; data: Float32Array }>();
    for (const [key, { shape }] of [...source.tensors, ...replaced]) {
      const data = replaced.get(key)?.data ?? await source.read(key);
      tensors.set(key, { shape, data: new Float32Array(data.slice().buffer) });
    }
    const file = readLsgGolden(type.replaceAll("-", "_"));
    const seq2seq = file.decoder_ids !== undefined;
    const model = seq2seq
      ? new Bart(gpu, bartConfigFromJson(config), 1)
      : new Bert(gpu, bertConfigFromJson(config), 1);
    const { missing } = model instanceof Bart
      ? loadBartWeights(model, tensors)
      : loadBertWeights(model, tensors);
    assert.deepEqual(missing, []);
    for (const [name, expected] of Object.entries(file.outputs.converted.norm)) {
      const [ids, keyMask] = [integers(file.inputs[name].ids), integers(file.inputs[name].mask)];
      const states = () =>
        model instanceof Bart
          ? model.encoderHidden(ids, { keyMask })
          : model.hidden(ids, { keyMask });
      const found = await gpu.scope(() => gpu.readFloats(states()));
      assertNear(`${name} states`, found, expected.output.data);
      if (model instanceof Bart) {
        const decoderIds = integers(file.decoder_ids!);
        const logits = await gpu.scope(() =>
          gpu.readFloats(model.logits(ids, decoderIds, { keyMask }))
        );
        assertNear(`${name} logits`, logits, expected.logits!.data);
      }
    }
    model.dispose();
  });
}
