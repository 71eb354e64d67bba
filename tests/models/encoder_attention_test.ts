import assert from "node:assert/strict";
import type { Tensor } from "../../engine/mod.ts";
import { Bert, type BertConfig, bertFlops, ConfigError } from "../../models/mod.ts";
import type { LsgEncoderAttention, SparseEncoderAttention } from "../../models/mod.ts";
import { AdamW } from "../../train/mod.ts";
import { assertClose } from "../_helpers/assert_close.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

const SIZES = { vocabSize: 31, positions: 64, width: 16, heads: 2, layers: 2, intermediate: 24 };
const LSG: LsgEncoderAttention = {
  kind: "lsg",
  globals: 3,
  blockSize: 4,
  sparseBlockSize: 4,
  sparsityFactor: 2,
  sparsityType: "norm",
};

/** Ids i32 [2, T] and a mask that hides the end of the second row. */
function batch(T: number, hidden: number) {
  const ids = Int32Array.from({ length: 2 * T }, (_, i) => 1 + (i * 7 + (i >> 2)) % 30);
  const mask = new Int32Array(2 * T).fill(1).fill(0, 2 * T - hidden);
  return { ids, mask };
}

/** Weights far from 0, so that attention is far from uniform. */
const build = (extra: Partial<BertConfig>, sizes: BertConfig = SIZES) =>
  new Bert(gpu, { initializerRange: 0.4, ...sizes, ...extra }, 7);

const upload = (data: Int32Array, T: number) => gpu.tensor(data, [data.length / T, T]);

/** Value of a loss and the gradient of every parameter. */
async function gradientsOf(model: Bert, loss: () => Tensor) {
  const later = gpu.scope(() =>
    gpu.withTape((tape) => {
      const value = loss();
      const read = gpu.readLater(value);
      tape.backward(value);
      return read.value;
    })
  );
  gpu.submit();
  const gradients = new Map<string, Float32Array>();
  for (const p of model.parameters) {
    if (p.trainable) gradients.set(p.name, await gpu.readFloats(p.gradient));
  }
  return { loss: (await later)[0], gradients };
}

for (const poolWithGlobal of [true, false]) {
  gpuTest(
    `Bert with lsg is BERT with ${LSG.globals} more tokens where the text is short (poolWithGlobal ${poolWithGlobal})`,
    async () => {
      const [T, G, V, D] = [7, LSG.globals, SIZES.vocabSize, SIZES.width];
      const lsg = build({ attention: { ...LSG, poolWithGlobal }, classes: 3, tokenTypes: 0 });
      // The same model written as plain BERT: each global token is a word of its own, positions move up by G.
      const plain = build({ classes: 3, tokenTypes: 0 }, {
        ...SIZES,
        vocabSize: V + G,
        positions: SIZES.positions + G,
      });
      for (const p of plain.parameters) {
        let values: Float32Array;
        if (p.name === "embeddings.positions") {
          values = new Float32Array(p.size);
          values.set(await gpu.readFloats(lsg.embeddings.positions), G * D);
        } else {
          values = new Float32Array(p.size);
          values.set(await gpu.readFloats(lsg.parameters.get(p.name)));
          if (p.name === "embeddings.tokens") {
            values.set(
              (await gpu.readFloats(lsg.embeddings.globals!)).subarray(0, G * D),
              V * D,
            );
          }
        }
        gpu.upload(p, values);
      }
      const { ids, mask } = batch(T, 3);
      const longIds = new Int32Array(2 * (G + T));
      const longMask = new Int32Array(2 * (G + T)).fill(1);
      for (const b of [0, 1]) {
        for (let g = 0; g < G; g++) longIds[b * (G + T) + g] = V + g;
        longIds.set(ids.subarray(b * T, (b + 1) * T), b * (G + T) + G);
        longMask.set(mask.subarray(b * T, (b + 1) * T), b * (G + T) + G);
      }
      const options = { keyMask: upload(mask, T) };
      const all = await gpu.scope(() =>
        gpu.readFloats(plain.hidden(upload(longIds, G + T), { keyMask: upload(longMask, G + T) }))
      );
      const rows = [0, 1].flatMap((b) =>
        Array.from({ length: T }, (_, t) => {
          const at = b * (G + T) + (poolWithGlobal && t === 0 ? 0 : G + t);
          return [...all.subarray(at * D, (at + 1) * D)];
        }).flat()
      );
      const hidden = await gpu.scope(() => gpu.readFloats(lsg.hidden(upload(ids, T), options)));
      assertClose("hidden", hidden, rows, { relative: 2e-6 });
      // The classification head reads the row that hidden has first.
      const labels = gpu.tensor(Int32Array.from([2, 0]), [2]);
      const got = await gradientsOf(
        lsg,
        () => lsg.classificationLoss(upload(ids, T), labels, options),
      );
      assert.equal(got.gradients.get("embeddings.globals")!.length, 512 * D);
      if (poolWithGlobal) {
        const want = await gradientsOf(
          plain,
          () =>
            plain.classificationLoss(upload(longIds, G + T), labels, {
              keyMask: upload(longMask, G + T),
            }),
        );
        assertClose("loss", [got.loss], [want.loss]);
        assertClose(
          "gradient of the global tokens",
          got.gradients.get("embeddings.globals")!.subarray(0, G * D),
          want.gradients.get("embeddings.tokens")!.subarray(V * D),
          { relative: 1e-5 },
        );
      }
      assert.ok(got.gradients.get("embeddings.globals")!.subarray(G * D).every((g) => g === 0));
      lsg.dispose();
      plain.dispose();
    },
  );
}

const SPARSE: Record<string, SparseEncoderAttention> = {
  lsg: LSG,
  longformer: { kind: "longformer", window: 3 },
  bigbird: { kind: "bigbird", blockSize: 4, randomBlocks: 1, seed: 5 },
};

for (const [kind, attention] of Object.entries(SPARSE)) {
  gpuTest(
    `Bert with ${kind} has the same gradients in its fused and naive form, with dropout`,
    async () => {
      const T = 22;
      const { ids, mask } = batch(T, 5);
      const results = [];
      for (const form of ["fused", "naive"] as const) {
        const model = build({
          attention: { ...attention, form },
          ...{ classes: 3, maskedHead: true, spanHead: true, dropout: 0.1, attentionDropout: 0.2 },
        });
        const options = { keyMask: upload(mask, T), dropoutSeed: 3 };
        const i32 = (...data: number[]) => gpu.tensor(Int32Array.from(data), [data.length]);
        const tensor = upload(ids, T);
        const losses = [
          () => model.classificationLoss(tensor, i32(0, 2), options),
          () => model.maskedLoss(tensor, i32(0, 9, T + 3), i32(4, 5, 6), options),
          () => model.spanLoss(tensor, i32(1, 2), i32(9, 12), options),
        ];
        const found = [];
        for (const loss of losses) {
          model.parameters.clearGradients();
          found.push(await gradientsOf(model, loss));
        }
        results.push(found);
        model.dispose();
      }
      const [fused, naive] = results;
      fused.forEach(({ loss, gradients }, i) => {
        assertClose(`loss ${i}`, [loss], [naive[i].loss], { relative: 1e-5 });
        for (const [name, g] of gradients) {
          assertClose(`loss ${i}: gradient of ${name}`, g, naive[i].gradients.get(name)!, {
            relative: 2e-4,
            absolute: 2e-6,
          });
        }
      });
    },
  );
}

gpuTest(
  "Bert with a window or blocks over the whole text is Bert with full attention",
  async () => {
    const T = 9;
    const { ids, mask } = batch(T, 2);
    const hidden = async (attention: BertConfig["attention"]) => {
      const model = build({ attention });
      assert.ok(![...model.parameters].some((p) => p.name === "embeddings.globals"));
      const states = await gpu.scope(() =>
        gpu.readFloats(model.hidden(upload(ids, T), { keyMask: upload(mask, T) }))
      );
      model.dispose();
      return states;
    };
    const want = await hidden("fused");
    for (const globals of [1, 2]) {
      const longformer = await hidden({ kind: "longformer", window: 8, globals });
      assertClose("longformer", longformer, want, { relative: 2e-6 });
      const bigbird = await hidden({ kind: "bigbird", blockSize: 4, randomBlocks: 0, globals });
      assertClose("bigbird", bigbird, want, { relative: 2e-6 });
    }
    const narrow = await hidden({ kind: "longformer", window: 1 });
    assert.ok(narrow.some((value, i) => Math.abs(value - want[i]) > 1e-3));
  },
);

gpuTest("Bert with lsg and maskFirstToken hides the first token as a key mask does", async () => {
  const T = 21;
  const { ids, mask } = batch(T, 3);
  const hidden = async (maskFirstToken: boolean, keep: Int32Array) => {
    const model = build({ attention: { ...LSG, maskFirstToken } });
    const states = await gpu.scope(() =>
      gpu.readFloats(model.hidden(upload(ids, T), { keyMask: upload(keep, T) }))
    );
    model.dispose();
    return states;
  };
  const want = await hidden(false, mask.map((keep, i) => i % T === 0 ? 0 : keep));
  assertClose("hidden", await hidden(true, mask), want, { relative: 1e-6 });
  const seen = await hidden(false, mask);
  assert.ok(seen.some((value, i) => Math.abs(value - want[i]) > 1e-3));
});

gpuTest("Bert with causal lsg lets no token see a later one, short and long", async () => {
  for (const T of [7, 30]) {
    const { ids } = batch(T, 0);
    const attention = { ...LSG, causal: true, poolWithGlobal: false };
    const model = build({ attention: { ...attention, sparsityType: "stride" } });
    const hidden = async (data: Int32Array) =>
      await gpu.scope(() => gpu.readFloats(model.hidden(upload(data, T))));
    const before = await hidden(ids);
    for (const changed of [T - 1, T >> 1]) {
      const after = await hidden(ids.map((id, i) => i % T === changed ? 1 + (id + 9) % 30 : id));
      for (let i = 0; i < 2 * T; i++) {
        const row = before.subarray(i * SIZES.width, (i + 1) * SIZES.width);
        const same = row.every((x, j) => Math.abs(x - after[i * SIZES.width + j]) < 1e-6);
        if (i % T < changed) assert.ok(same, `${T} tokens: ${i % T} sees ${changed}`);
        if (i % T === changed) assert.ok(!same);
      }
    }
    model.dispose();
  }
});

gpuTest(
  "Bert.spanLogits() hides padding and spanLoss() is the mean of two cross-entropies",
  async () => {
    const T = 6;
    const { ids, mask } = batch(T, 2);
    const model = build({ spanHead: true });
    const options = { keyMask: upload(mask, T) };
    const hidden = await gpu.scope(() => gpu.readFloats(model.hidden(upload(ids, T), options)));
    const [weight, bias] = [model.spanHead!.weight, model.spanHead!.bias];
    gpu.upload(bias, Float32Array.from([0.5, -0.25]));
    const w = await gpu.readFloats(weight);
    const logits = (b: number, part: number) =>
      Array.from({ length: T }, (_, t) => {
        if (!mask[b * T + t]) return -Infinity;
        const at = (b * T + t) * SIZES.width;
        let sum = [0.5, -0.25][part];
        for (let i = 0; i < SIZES.width; i++) sum += hidden[at + i] * w[2 * i + part];
        return sum;
      });
    const nats = (x: number[], at: number) =>
      Math.log(x.reduce((sum, v) => sum + Math.exp(v), 0)) - x[at];
    const [first, last] = [[1, 0], [3, 2]];
    const want = [0, 1].reduce(
      (sum, b) => sum + (nats(logits(b, 0), first[b]) + nats(logits(b, 1), last[b])) / 4,
      0,
    );
    const i32 = (data: number[]) => gpu.tensor(Int32Array.from(data), [2]);
    const loss = await gpu.scope(() =>
      gpu.readFloats(model.spanLoss(upload(ids, T), i32(first), i32(last), options))
    );
    assertClose("span loss", loss, [want], { relative: 1e-5 });
    const { start } = model.spanLogits(upload(ids, T), options);
    assert.ok((await gpu.readFloats(start)).at(-1)! < -1e29);
    model.dispose();
  },
);

gpuTest("Bert trains only what `trainable` names", async () => {
  const model = new Bert(gpu, { ...SIZES, attention: LSG, classes: 2 }, 3, {
    trainable: (name) => name === "embeddings.globals" || name.startsWith("classifier."),
  });
  const trained = [...model.parameters].filter((p) => p.trainable).map((p) => p.name);
  assert.deepEqual(trained, ["embeddings.globals", "classifier.weight", "classifier.bias"]);
  const before = await Promise.all([...model.parameters].map((p) => gpu.readFloats(p)));
  const optimizer = new AdamW(model.parameters, { weightDecay: 0 });
  const { ids, mask } = batch(9, 1);
  gpu.scope(() =>
    gpu.withTape((tape) =>
      tape.backward(model.classificationLoss(
        upload(ids, 9),
        gpu.tensor(Int32Array.from([0, 1]), [2]),
        { keyMask: upload(mask, 9) },
      ))
    )
  );
  optimizer.step(0.1);
  for (const [i, p] of [...model.parameters].entries()) {
    const changed = (await gpu.readFloats(p)).some((value, j) => value !== before[i][j]);
    assert.equal(changed, trained.includes(p.name), p.name);
  }
  optimizer.dispose();
  model.dispose();
});

gpuTest("Bert with sparse attention refuses scores, maps and numbers that break a rule", () => {
  const model = build({ attention: SPARSE.longformer });
  const ids = upload(batch(8, 0).ids, 8);
  assert.throws(() => model.attentionScores(ids), /is longformer, expected "fused" or "naive"/);
  assert.throws(() => model.forEachAttentionMap(ids, () => {}), ConfigError);
  model.dispose();
  assert.throws(() => build({ attention: { kind: "longformer", window: 0 } }), /window is 0/);
  assert.throws(
    () => build({ attention: { kind: "bigbird", blockSize: 4, randomBlocks: -1 } }),
    /randomBlocks is -1/,
  );
  assert.throws(
    () => build({ attention: { ...LSG, maskFirstToken: true, poolWithGlobal: false } }),
    /poolWithGlobal/,
  );
  assert.throws(() => build({ attentionDropout: 1 }), /attentionDropout is 1/);
});

Deno.test("bertFlops() grows linearly in the text for every sparse attention", () => {
  const config = { width: 64, heads: 4, layers: 2 };
  for (const [kind, attention] of Object.entries(SPARSE)) {
    const at = (T: number) => bertFlops({ ...config, attention }, 1, T).forward;
    assert.ok(at(4096) < 2.1 * at(2048), kind);
  }
  // A window that covers the text is full attention.
  const attention: SparseEncoderAttention = { kind: "longformer", window: 100 };
  const full = bertFlops(config, 2, 50).forward;
  assert.equal(bertFlops({ ...config, attention }, 2, 50).forward, full);
  assert.ok(bertFlops(config, 1, 4096).forward > 3 * bertFlops(config, 1, 2048).forward);
});
