import assert from "node:assert/strict";
import { Bert, type LsgEncoderAttention, type PublishedTensor } from "../../../models/mod.ts";
import {
  ARCHITECTURE_TYPES,
  checkConversion,
  type ConversionSource,
  convertCheckpoint,
  type LoadableCheckpoint,
} from "../../../train/convert/mod.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";
import {
  convertedSource,
  GOLDEN_OPTIONS,
  goldenArchitecture,
  goldenSource,
} from "./_lsg_golden.ts";

type Tensors = Map<string, PublishedTensor>;

/** Source and conversion of a golden architecture; `spoil` changes the converted tensors. */
async function pair(
  type: string,
  spoil: (tensors: Tensors) => void = () => {},
  set: Record<string, unknown> = {},
): Promise<[LoadableCheckpoint, LoadableCheckpoint]> {
  const source = goldenSource(goldenArchitecture(type));
  const conversion = await convertCheckpoint(source, {
    maxLength: 600,
    modelType: type,
    set: { ...GOLDEN_OPTIONS.set, ...set },
  });
  const converted = convertedSource(source, conversion);
  return [await loadable(source), await loadable(converted, spoil)];
}

/** A checkpoint with its float32 tensors in memory. */
async function loadable(
  { config, tensors, read }: ConversionSource,
  spoil: (tensors: Tensors) => void = () => {},
): Promise<LoadableCheckpoint> {
  const floats: Tensors = new Map();
  for (const [key, { shape }] of tensors) {
    floats.set(key, { shape, data: new Float32Array((await read(key)).slice().buffer) });
  }
  spoil(floats);
  return { config, tensors: () => Promise.resolve(floats) };
}

for (const type of ARCHITECTURE_TYPES) {
  gpuTest(`checkConversion() passes a converted ${type}`, async () => {
    const [source, converted] = await pair(type);
    const [short, long] = await checkConversion(gpu, source, converted);
    assert.equal(short.passed, true, short.detail);
    assert.match(short.detail, /^Short input of 8 tokens without global keys: .* at most/);
    assert.equal(long.passed, true, long.detail);
    assert.match(long.detail, /^Long input of 600 tokens: \d+ values, all finite\.$/);
  });
}

/** Changes one number of a tensor. */
const plant = (key: string, at: number, value: number) => (tensors: Tensors) => {
  (tensors.get(key)!.data as Float32Array)[at] = value;
};

gpuTest("checkConversion() finds a position, a weight or a number that is wrong", async () => {
  const positions = "bert.embeddings.position_embeddings.weight";
  for (
    const [spoil, short, long] of [
      [plant(positions, 3 * 16 + 5, 9), false, true],
      [plant("bert.encoder.layer.1.output.dense.bias", 2, 0.7), false, true],
      [plant(positions, 590 * 16, Infinity), true, false],
      [plant("bert.embeddings.global_embeddings.weight", 3, NaN), false, false],
    ] as const
  ) {
    const found = await checkConversion(gpu, ...await pair("bert", spoil));
    const details = found.map(({ detail }) => detail).join(" ");
    assert.deepEqual(found.map(({ passed }) => passed), [short, long], details);
  }
});

gpuTest(
  "checkConversion() holds the decoder of a sequence-to-sequence model to its logits",
  async () => {
    const spoil = plant("model.decoder.layers.0.encoder_attn.v_proj.weight", 0, 3);
    const [short] = await checkConversion(gpu, ...await pair("bart", spoil));
    assert.equal(short.passed, false, short.detail);
  },
);

gpuTest(
  "checkConversion() leaves pooling and the hidden first token out of the comparison",
  async () => {
    const set = { pool_with_global: true, mask_first_token: true, sparsity_type: "bos_pooling" };
    const [short, long] = await checkConversion(gpu, ...await pair("roberta", undefined, set));
    assert.deepEqual([short.passed, long.passed], [true, true], short.detail);
  },
);

gpuTest(
  "checkConversion() passes fewer sparse keys than the reference's windows have",
  async () => {
    const set = { sparse_block_size: 1, sparsity_type: "pooling" };
    const [short, long] = await checkConversion(gpu, ...await pair("bert", undefined, set));
    assert.deepEqual([short.passed, long.passed], [true, true], short.detail);
  },
);

gpuTest("checkConversion() passes every layer with the largest seed of lsh", async () => {
  const set = { lsh_seed: 0xffffffff, sparsity_type: "lsh" };
  const [short, long] = await checkConversion(gpu, ...await pair("bert", undefined, set));
  assert.deepEqual([short.passed, long.passed], [true, true], short.detail);
});

for (const resizeLsg of [false, true]) {
  gpuTest(
    `checkConversion() passes a conversion to larger blocks than those of its source, resizeLsg ${resizeLsg}`,
    async () => {
      const first = goldenSource(goldenArchitecture("bert"));
      const source = convertedSource(first, await convertCheckpoint(first, GOLDEN_OPTIONS));
      const set = { block_size: 64, sparse_block_size: 64 };
      const conversion = await convertCheckpoint(source, { maxLength: 600, resizeLsg, set });
      const converted = convertedSource(source, conversion);
      const [short, long] = await checkConversion(
        gpu,
        await loadable(source),
        await loadable(converted),
      );
      assert.match(short.detail, /^Short input of 8 tokens /);
      assert.deepEqual([short.passed, long.passed], [true, true], short.detail);
    },
  );
}

gpuTest("checkConversion() runs the long input as configured, the short one unpooled", async () => {
  const { hidden } = Bert.prototype;
  const found: unknown[] = [];
  Bert.prototype.hidden = function (...given) {
    const { poolWithGlobal, maskFirstToken } = this.config.attention as LsgEncoderAttention;
    found.push([given[0].dim(1), poolWithGlobal, maskFirstToken]);
    return hidden.apply(this, given);
  };
  try {
    const set = { mask_first_token: true, pool_with_global: true };
    await checkConversion(gpu, ...await pair("bert", undefined, set));
  } finally {
    Bert.prototype.hidden = hidden;
  }
  // The source in the middle has no such options.
  assert.deepEqual(found, [[600, true, true], [8, undefined, undefined], [8, false, false]]);
});

gpuTest("checkConversion() does not compare a causal decoder", async () => {
  const [source, converted] = await pair("bert");
  const causal = { ...converted, config: { ...converted.config, is_decoder: true } };
  const [short, long] = await checkConversion(gpu, source, causal);
  assert.equal(short.passed, undefined);
  assert.match(short.detail, /not compared, the model is a causal decoder\.$/);
  assert.equal(long.passed, true);
});

gpuTest("checkConversion() refuses a conversion without its globals", async () => {
  const lost = (tensors: Tensors) =>
    void tensors.delete("bert.embeddings.global_embeddings.weight");
  await assert.rejects(checkConversion(gpu, ...await pair("bert", lost)), RangeError);
  const [source, converted] = await pair("bert");
  const plain = { ...converted, config: source.config };
  await assert.rejects(checkConversion(gpu, source, plain), RangeError);
});
