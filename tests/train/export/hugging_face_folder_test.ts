import assert from "node:assert/strict";
import { openGpt2Tokenizer, openTokenizerJson } from "../../../data/mod.ts";
import {
  describeModel,
  huggingFaceFolder,
  readSafetensors,
  SafetensorsError,
  saveCheckpoint,
} from "../../../train/mod.ts";
import { tokenizerFiles } from "../../../train/export/tokenizer_files.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";
import { byteCheckpoint, byteDescription, tinyGpt2 } from "./_exported_model.ts";

gpuTest(
  "huggingFaceFolder() writes GPT-2 with published names, layouts and configuration",
  async () => {
    const model = tinyGpt2();
    const { files, notes } = await huggingFaceFolder(await byteCheckpoint(model), "tiny");
    assert.deepEqual(notes, []);
    assert.deepEqual([...files.keys()].sort(), [
      "config.json",
      "generation_config.json",
      "model.safetensors",
      "onnx/model.onnx",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    const config = JSON.parse(files.get("config.json") as string);
    assert.equal(config.model_type, "gpt2");
    assert.deepEqual(
      [config.vocab_size, config.n_positions, config.n_embd, config.n_head, config.n_layer],
      [257, 40, 24, 3, 2],
    );
    assert.deepEqual([config.bos_token_id, config.eos_token_id], [256, 256]);
    const { tensors, metadata } = readSafetensors(files.get("model.safetensors") as Uint8Array);
    assert.equal(metadata.format, "pt");
    assert.equal(tensors.size, 4 + 2 * 12);
    assert.deepEqual(tensors.get("h.1.attn.c_attn.weight")?.shape, [24, 72]);
    for (const parameter of model.parameters) {
      assert.deepEqual(tensors.get(parameter.name)?.data, await gpu.readFloats(parameter));
    }
    model.dispose();
  },
);

gpuTest("huggingFaceFolder() refuses what it cannot export with one clear message", async () => {
  const model = tinyGpt2();
  const good = byteDescription(model);
  const { config } = good.model;
  const refuses = async (extra: Record<string, unknown>, message: RegExp) => {
    const bytes = await saveCheckpoint(model.parameters, undefined, extra);
    await assert.rejects(huggingFaceFolder(bytes, "x"), (error: Error) => {
      assert.ok(error instanceof SafetensorsError, `${error}`);
      assert.match(error.message, message);
      return true;
    });
  };
  await refuses({}, /does not say which model it holds/);
  await refuses(
    { ...good, model: { kind: "rnn", config } },
    /of kind "rnn", expected gpt2 or leap/,
  );
  await refuses(
    { ...good, model: { kind: "gpt2", config: { ...config, layers: 1e9 } } },
    /h\.2\.ln_1\.weight is missing/,
  );
  await refuses(
    { ...good, model: { kind: "gpt2", config: { ...config, layers: 1 } } },
    /holds h\.1\.ln_1\.weight, which its configuration does not have/,
  );
  await refuses(
    { ...good, model: { kind: "gpt2", config: { ...config, width: 48 } } },
    /wte\.weight is \[257,24\], its configuration asks for \[257,48\]/,
  );
  await refuses(
    { ...good, model: { kind: "gpt2", config: { ...config, heads: 5 } } },
    /width is 24, expected a multiple of its 5 heads/,
  );
  await refuses({ ...good, model: { kind: "gpt2", config: null } }, /vocabSize is undefined/);
  await refuses({ ...good, model: { kind: "leap", config } }, /its variant is undefined, expected/);
  const bytes = await byteCheckpoint(model);
  await assert.rejects(huggingFaceFolder(bytes.subarray(0, 5000), "x"), SafetensorsError);
  const changed = bytes.slice();
  changed[changed.length - 1] ^= 1;
  await assert.rejects(huggingFaceFolder(changed, "x"), /do not match its SHA-256/);
  model.dispose();
});

gpuTest("huggingFaceFolder() says so where a tokenizer has no tokenizer.json", async () => {
  const model = tinyGpt2();
  const description = byteDescription(model);
  const tokenizer = { ...description.tokenizer, name: "word-257" };
  const bytes = await saveCheckpoint(model.parameters, undefined, { ...description, tokenizer });
  const { files, notes } = await huggingFaceFolder(bytes, "tiny");
  assert.ok(!files.has("tokenizer.json"));
  assert.match(notes.join(), /No tokenizer\.json: tokenizer word-257/);
  model.dispose();
});

Deno.test("tokenizerFiles() finds GPT-2's merges again: the file gives the ids of the package", async () => {
  const gpt2 = await openGpt2Tokenizer();
  const files = await tokenizerFiles({
    name: "gpt2",
    vocabSize: gpt2.vocabSize,
    endOfText: gpt2.specials.endOfText,
    fingerprint: gpt2.fingerprint(),
    json: null,
  }, 1024);
  const json = files!["tokenizer.json"] as { model: { merges: [string, string][] } };
  assert.equal(json.model.merges.length, 50_000);
  assert.deepEqual(json.model.merges[0], ["Ġ", "t"]);
  const read = openTokenizerJson(json, { name: "gpt2" });
  const text =
    "In 1790, naïve café — 数学 👋🏽 don't\t\n  The   unbelievably antidisestablishmentarian.";
  assert.deepEqual(read.encode(text), gpt2.encode(text));
});

gpuTest("describeModel() leaves out models without an exporter", () => {
  const model = tinyGpt2();
  const unknown = { ...model, parameters: model.parameters };
  assert.deepEqual(describeModel(unknown as never, {} as never), {});
  model.dispose();
});
