import assert from "node:assert/strict";
import {
  ConversionError,
  type ConversionOptions,
  type ConversionSource,
  convertCheckpoint,
  type StoredTable,
} from "../../../train/convert/mod.ts";
import { encodeFloats, FloatTable } from "../../../train/convert/float_table.ts";
import {
  convertedSource,
  GOLDEN_OPTIONS,
  goldenArchitecture,
  goldenSource,
  goldenTensors,
  sourceOf,
} from "./_lsg_golden.ts";

const BERT = goldenArchitecture("bert");
const GLOBALS = "bert.embeddings.global_embeddings.weight";
const POSITIONS = "bert.embeddings.position_embeddings.weight";

const convert = (source: ConversionSource, options: ConversionOptions = {}) =>
  convertCheckpoint(source, { ...GOLDEN_OPTIONS, ...options });

/** A golden source with some tensors changed, and those set to undefined left out. */
function changed(type: string, changes: Record<string, StoredTable | undefined>) {
  const given = goldenArchitecture(type);
  const tensors = new Map<string, StoredTable>(goldenTensors(given));
  for (const [key, table] of Object.entries(changes)) {
    if (table) tensors.set(key, table);
    else tensors.delete(key);
  }
  return sourceOf(given.config, tensors);
}

for (
  const [name, options, message] of [
    ["length", { maxLength: 0 }, /maximum length is 0, expected an integer .*--max-length/],
    ["length", { maxLength: 2 ** 21 }, /maximum length is 2097152/],
    ["length", { maxLength: 1.5 }, /maximum length is 1.5/],
    ["seed", { seed: -1 }, /the seed is -1/],
    ["stride", { globalPositionalStride: 0 }, /stride between globals is 0/],
    ["stride", { globalPositionalStride: 48 }, /stride between globals is 48/],
    ["class", { architecture: "BertForMaskLM" }, /architecture is "BertForMaskLM"/],
    ["type", { modelType: "gpt2" }, /model_type is "gpt2"/],
    ["field", { set: { blok_size: 4 } }, /"blok_size" is no field that --set can change/],
    ["field", { set: { pass_global_tokens_to_decoder: true } }, /is no field/],
    ["field", { set: { model_type: "bert" } }, /is no field/],
    ["field", { set: { block_size: 5 } }, /a divisor of block_size 5/],
  ] as const
) {
  Deno.test(`convertCheckpoint() refuses the ${name} of ${JSON.stringify(options)}`, async () => {
    await assert.rejects(convert(goldenSource(BERT), options), (error: Error) => {
      assert.ok(error instanceof ConversionError, `${error}`);
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("convertCheckpoint() suggests near names of classes and fields", async () => {
  const choice = async (options: ConversionOptions) => {
    let found: ConversionError["choice"];
    await assert.rejects(convert(goldenSource(BERT), options), (error: ConversionError) => {
      found = error.choice;
      return true;
    });
    return found;
  };
  assert.ok((await choice({ architecture: "BertForMaskLM" }))?.known.includes("BertForMaskedLM"));
  const fields = (await choice({ set: { blok_size: 4 } }))?.known ?? [];
  assert.ok(fields.includes("block_size") && fields.includes("hidden_dropout_prob"));
  assert.ok(!fields.includes("model_type") && !fields.includes("auto_map"));
});

Deno.test("convertCheckpoint() changes fields of the source too", async () => {
  const set = { ...GOLDEN_OPTIONS.set, hidden_dropout_prob: 0.3, sparsity_type: "pooling" };
  const { config } = await convert(goldenSource(BERT), { set, architecture: "BertForMaskedLM" });
  assert.deepEqual([config.hidden_dropout_prob, config.sparsity_type], [0.3, "pooling"]);
  assert.deepEqual(config.architectures, ["LSGBertForMaskedLM"]);
});

Deno.test("convertCheckpoint() wants a first and a mask token of the vocabulary", async () => {
  const source = goldenSource(BERT);
  const noBos = { ...source, config: { ...source.config, bos_token_id: undefined } };
  for (
    const [given, message] of [
      [{ ...source, tokens: { first: 0 } }, /mask token is not named .*--mask-token-id/],
      [{ ...source, tokens: { first: 0, mask: 40 } }, /mask token is 40, expected an id below 40/],
      [{ ...noBos, tokens: { mask: 4 } }, /bos or cls token is not named .*--bos-token-id/],
      [{ ...source, tokens: { first: -1, mask: 4 } }, /bos or cls token is -1/],
    ] as const
  ) await assert.rejects(convert(given), message);
  // Random globals need no mask; config.json may name the first token.
  const { replaced } = await convert({ ...source, tokens: {} }, { randomGlobalInit: true });
  assert.deepEqual(replaced.get(GLOBALS)?.shape, [512, 16]);
});

Deno.test("convertCheckpoint() refuses weights that do not fit their configuration", async () => {
  const half = { dtype: "F32", shape: [512, 8], data: new Uint8Array(512 * 8 * 4) };
  const tiny = { dtype: "F32", shape: [2, 16], data: new Uint8Array(2 * 16 * 4) };
  for (
    const [source, message] of [
      [changed("bert", { [POSITIONS]: undefined }), /has no bert\.embeddings\.position_embeddings/],
      [changed("bert", { [POSITIONS]: half }), /word embeddings have width 16 and positions 8/],
      [
        changed("bert", { [POSITIONS]: { ...half, dtype: "I64", shape: [512, 4] } }),
        /has type I64, expected F32, F16 or BF16/,
      ],
      [
        changed("bert", { "bert.embeddings.token_type_embeddings.weight": undefined }),
        /has no bert\.embeddings\.token_type_embeddings/,
      ],
      [
        changed("roberta", { "roberta.embeddings.position_embeddings.weight": tiny }),
        /has 0 positions, expected at least 2/,
      ],
    ] as const
  ) await assert.rejects(convert(source), message);
  const mbart = goldenTensors(goldenArchitecture("mbart"));
  for (const key of [...mbart.keys()]) if (key.includes("encoder.")) mbart.delete(key);
  const decoder = new Map([...mbart, ["model.decoder.layers.0.fc1.weight", half]] as const);
  await assert.rejects(
    convert(sourceOf(goldenArchitecture("mbart").config, decoder)),
    /it is a decoder alone, and only encoders have/,
  );
});

Deno.test("convertCheckpoint() keeps half precision and rounds the globals once", async () => {
  for (const dtype of ["F16", "BF16"] as const) {
    const tensors = new Map(
      [...goldenTensors(BERT)].map(([key, { shape, data }]) =>
        [key, { dtype, shape, data: encodeFloats(new Float32Array(data.buffer), dtype) }] as const
      ),
    );
    const { replaced } = await convert(sourceOf(BERT.config, tensors));
    const read = (key: string) => new FloatTable(replaced.get(key) ?? tensors.get(key)!, key);
    const [globals, positions] = [read(GLOBALS), read(POSITIONS)];
    assert.deepEqual([globals.dtype, positions.dtype], [dtype, dtype]);
    const old = new FloatTable(tensors.get(POSITIONS)!, "");
    assert.deepEqual(positions.rowData(512 + 77), old.rowData(77));
    const words = read("bert.embeddings.word_embeddings.weight");
    const types = read("bert.embeddings.token_type_embeddings.weight");
    const sum = words.row(4).map((word, c) =>
      Math.fround(Math.fround(old.row(64)[c] + word) + types.row(0)[c])
    );
    assert.deepEqual(globals.rowData(1), encodeFloats(sum, dtype));
  }
});

Deno.test("convertCheckpoint() leaves out buffers of the old length and reads tied words", async () => {
  const words = "roberta.embeddings.word_embeddings.weight";
  const given = goldenTensors(goldenArchitecture("roberta")).get(words)!;
  const ids = { dtype: "I64", shape: [1, 514], data: new Uint8Array(514 * 8) };
  const source = changed("roberta", {
    "roberta.embeddings.position_ids": ids,
    [words]: undefined,
    "lm_head.decoder.weight": given,
  });
  const { dropped, notes, replaced } = await convert(source);
  assert.deepEqual([...dropped], ["roberta.embeddings.position_ids"]);
  assert.match(notes.join(), /Left out roberta\.embeddings\.position_ids/);
  const key = "roberta.embeddings.global_embeddings.weight";
  const expected = await convert(goldenSource(goldenArchitecture("roberta")));
  assert.deepEqual(replaced.get(key), expected.replaced.get(key));
});

Deno.test("convertCheckpoint() computes positions that a Pegasus leaves out", async () => {
  const positions = ["encoder", "decoder"].map((side) => `model.${side}.embed_positions.weight`);
  const without = changed("pegasus", Object.fromEntries(positions.map((key) => [key, undefined])));
  const { replaced } = await convert(without);
  assert.deepEqual([...replaced.keys()], ["model.encoder.global_embeddings.weight"]);
  const whole = await convert(goldenSource(goldenArchitecture("pegasus")));
  const [key] = replaced.keys();
  assert.deepEqual(replaced.get(key), whole.replaced.get(key));
});

Deno.test("convertCheckpoint() says which options have no effect, and what happens to an LSG source", async () => {
  const source = goldenSource(BERT);
  const plain = await convert(source, { keepFirstGlobalToken: true, resizeLsg: true });
  assert.match(plain.notes.join(), /--resize-lsg has no effect.*--keep-first-global-token has no/);
  const lsg = convertedSource(source, plain);
  assert.match((await convert(lsg)).notes.join(), /globals are made anew; --resize-lsg keeps them/);
  const resized = await convertCheckpoint(lsg, { maxLength: 2048, resizeLsg: true });
  assert.deepEqual(resized.notes, []);
  assert.deepEqual([...resized.replaced.keys()], [POSITIONS]);
  // The fields of an LSG source count; those of another are not looked at.
  assert.equal(resized.config.block_size, 4);
  const other = { ...source, config: { ...source.config, block_size: 7 } };
  assert.equal((await convertCheckpoint(other)).config.block_size, 128);
  const lost = { ...lsg, tensors: new Map(lsg.tensors) };
  lost.tensors.delete(GLOBALS);
  await assert.rejects(convert(lost, { resizeLsg: true }), /has no .*global_embeddings/);
});
