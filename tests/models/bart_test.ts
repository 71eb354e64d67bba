import assert from "node:assert/strict";
import {
  Bart,
  type BartConfig,
  bartFlops,
  generateText,
  type LsgEncoderAttention,
  shiftRight,
} from "../../models/mod.ts";
import { AdamW } from "../../train/mod.ts";
import { assertClose } from "../_helpers/assert_close.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

const SIZES = { vocabSize: 24, positions: 40, width: 16, heads: 2, layers: 2, intermediate: 24 };
const LSG: LsgEncoderAttention = {
  kind: "lsg",
  globals: 2,
  blockSize: 4,
  sparseBlockSize: 4,
  sparsityFactor: 2,
  sparsityType: "pooling",
};

const build = (extra: Partial<BartConfig>, seed = 5) =>
  new Bart(gpu, { ...SIZES, initializerRange: 0.3, ...extra }, seed);

const i32 = (data: ArrayLike<number>, shape: number[]) => gpu.tensor(Int32Array.from(data), shape);

/** Inputs [2, 22] with padding in the second row, outputs [2, 4]. */
function batch() {
  const [T, Td] = [22, 4];
  const ids = Array.from({ length: 2 * T }, (_, i) => 3 + (i * 5 + (i >> 3)) % 21);
  const mask = new Array<number>(2 * T).fill(1).fill(0, 2 * T - 6);
  const outputs = Int32Array.from([5, 9, 4, 2, 8, 3, 2, -1]);
  return {
    ids: i32(ids, [2, T]),
    keyMask: i32(mask, [2, T]),
    decoderIds: i32(shiftRight(outputs, Td, { startId: 2, padId: 1 }), [2, Td]),
    targets: i32(outputs, [2, Td]),
  };
}

for (const preNorm of [false, true]) {
  gpuTest(
    `Bart (${
      preNorm ? "pre" : "post"
    }-norm) has the same loss and gradients in fused and naive form`,
    async () => {
      const kinds = [undefined, LSG];
      for (const lsg of kinds) {
        const found = [];
        for (const form of ["fused", "naive"] as const) {
          const model = build({
            attention: lsg ? { ...lsg, form } : form,
            ...{ preNorm, dropout: 0.1, attentionDropout: 0.1, activationDropout: 0.1 },
            scaleEmbedding: preNorm,
          });
          const { ids, keyMask, decoderIds, targets } = batch();
          const later = gpu.scope(() =>
            gpu.withTape((tape) => {
              const loss = model.loss(ids, decoderIds, targets, { keyMask, dropoutSeed: 4 });
              const read = gpu.readLater(loss).value;
              tape.backward(loss);
              return read;
            })
          );
          gpu.submit();
          const gradients = new Map<string, Float32Array>();
          for (const p of model.parameters) {
            if (p.trainable) gradients.set(p.name, await gpu.readFloats(p.gradient));
          }
          found.push({ loss: (await later)[0], gradients });
          model.dispose();
        }
        const [fused, naive] = found;
        assertClose("loss", [fused.loss], [naive.loss]);
        assert.equal(fused.gradients.has("embeddings.globals"), lsg !== undefined);
        for (const [name, g] of fused.gradients) {
          const want = naive.gradients.get(name)!;
          assertClose(`gradient of ${name}`, g, want, { relative: 2e-4, absolute: 2e-6 });
          // Softmax does not feel a shift, so the bias of a key has no gradient; every other parameter has one.
          if (!/cross\.key\.bias/.test(name)) assert.ok(g.some((x) => Math.abs(x) > 1e-7), name);
        }
      }
    },
  );
}

gpuTest("Bart.loss() is the cross-entropy of logits() and -1 is ignored", async () => {
  const model = build({ attention: LSG });
  gpu.upload(model.logitsBias, Float32Array.from({ length: 24 }, (_, i) => Math.sin(i)));
  const { ids, keyMask, decoderIds, targets } = batch();
  const { loss, logits } = gpu.scope(() => ({
    loss: gpu.readLater(model.loss(ids, decoderIds, targets, { keyMask })).value,
    logits: gpu.readLater(model.logits(ids, decoderIds, { keyMask })).value,
  }));
  gpu.submit();
  const [rows, wanted] = [await logits, await gpu.read(targets)];
  let [sum, count] = [0, 0];
  wanted.forEach((target, i) => {
    if (target === -1) return;
    const row = Array.from(rows.subarray(i * 24, (i + 1) * 24));
    sum += Math.log(row.reduce((total, x) => total + Math.exp(x), 0)) - row[target];
    count++;
  });
  assertClose("loss", await loss, [sum / count]);
  model.dispose();
});

gpuTest(
  "Bart's decoder sees the past alone, and passGlobals decides whether it sees the global tokens",
  async () => {
    const { ids, keyMask, decoderIds } = batch();
    const logits = async (model: Bart, decoder = decoderIds) =>
      await gpu.scope(() => gpu.readFloats(model.logits(ids, decoder, { keyMask })));
    const model = build({ attention: LSG });
    const changed = Int32Array.from(await gpu.read(decoderIds));
    changed[2] = 17;
    const [before, after] = [await logits(model), await logits(model, i32(changed, [2, 4]))];
    assert.deepEqual(after.subarray(0, 2 * 24), before.subarray(0, 2 * 24));
    assert.notDeepEqual(after.subarray(2 * 24, 3 * 24), before.subarray(2 * 24, 3 * 24));
    const { states, keyMask: mask } = model.encode(ids, { keyMask });
    assert.deepEqual([states.dim(1), mask!.dim(1)], [24, 24]);
    assert.deepEqual([...(await gpu.read(mask!)).subarray(24, 26)], [1, 1]);
    const without = build({ attention: LSG, passGlobals: false });
    const text = without.encode(ids, { keyMask });
    assert.equal(text.states.dim(1), 22);
    // Same weights: the first text row is the first global row of the other model.
    assertClose(
      "pooled row",
      (await gpu.readFloats(text.states)).subarray(0, 16),
      (await gpu.readFloats(states)).subarray(0, 16),
    );
    model.dispose();
    without.dispose();
  },
);

gpuTest("generateText() continues with the likeliest token and ends at the end id", async () => {
  const model = build({ attention: LSG });
  const { ids, keyMask } = batch();
  const rows = await generateText(model, ids, { maxTokens: 5, keyMask });
  for (const [b, row] of rows.entries()) {
    const prefix = [2];
    for (let step = 0; step < 5; step++) {
      const both = [prefix, prefix].flat();
      const logits = await gpu.scope(() =>
        gpu.readFloats(model.logits(ids, i32(both, [2, prefix.length]), { keyMask }))
      );
      const at = (b * prefix.length + prefix.length - 1) * 24;
      const last = Array.from(logits.subarray(at, at + 24));
      const best = last.indexOf(Math.max(...last));
      if (best === 2) break;
      prefix.push(best);
    }
    assert.deepEqual([...row], prefix.slice(1));
  }
  gpu.upload(model.logitsBias, Float32Array.from({ length: 24 }, (_, i) => i === 2 ? 1e4 : 0));
  const none = await generateText(model, ids, { maxTokens: 5, keyMask });
  assert.deepEqual(none.map((row) => row.length), [0, 0]);
  await assert.rejects(generateText(model, ids, { maxTokens: 41 }), /41 tokens/);
  model.dispose();
});

gpuTest("Bart with lsg learns outputs by heart and generates them", async () => {
  const model = new Bart(gpu, { ...SIZES, attention: LSG, initializerRange: 0.15 }, 2);
  const optimizer = new AdamW(model.parameters, { weightDecay: 0 });
  const { ids, keyMask, decoderIds, targets } = batch();
  for (let step = 0; step < 60; step++) {
    gpu.scope(() =>
      gpu.withTape((tape) => tape.backward(model.loss(ids, decoderIds, targets, { keyMask })))
    );
    optimizer.step(1e-2);
    if (step % 10 === 9) await gpu.idle();
  }
  const rows = await generateText(model, ids, { maxTokens: 6, keyMask });
  assert.deepEqual(rows.map((row) => [...row]), [[5, 9, 4], [8, 3]]);
  optimizer.dispose();
  model.dispose();
});

Deno.test("shiftRight() puts the start id in front and padding where there is no output", () => {
  const rows = shiftRight(Int32Array.from([5, 6, 2, 7, 2, -1]), 3, { startId: 9, padId: 1 });
  assert.deepEqual([...rows], [9, 5, 6, 9, 7, 2]);
});

gpuTest("Bart refuses sizes and sequences that do not fit", () => {
  assert.throws(() => build({ heads: 3 }), /width is 16 and heads is 3/);
  assert.throws(() => build({ startId: 24 }), /startId is 24/);
  assert.throws(() => build({ attentionDropout: 1 }), /attentionDropout is 1/);
  assert.throws(() => build({ attention: { ...LSG, globals: 600 } }), /globals is 600/);
  const model = build({});
  const long = gpu.tensor(new Int32Array(41), [1, 41]);
  assert.throws(() => model.encode(long), /41 tokens and the position table 40/);
  model.dispose();
});

gpuTest("bartFlops() counts encoder, decoder and what they exchange", () => {
  const model = build({ layers: 1, decoderLayers: 1 });
  const [B, T, Td, D, I] = [2, 10, 4, 16, 24];
  const encoder = B * T * (8 * D * D + 4 * D * I) + 4 * B * T * T * D;
  const decoder = B * Td * (12 * D * D + 4 * D * I) + B * T * 4 * D * D +
    4 * B * D * (Td * (Td + 1) / 2 + Td * T);
  assert.equal(bartFlops(model.config, B, T, Td).forward, encoder + decoder);
  assert.equal(model.flops(B, T, Td).forward, encoder + decoder);
  model.dispose();
});
