import assert from "node:assert/strict";
import { ConfigError, ConvAttention, type ConvAttentionConfig } from "../../models/mod.ts";
import { uniformAt } from "../../engine/mod.ts";
import { assertClose } from "../_helpers/assert_close.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

const TINY = { vocabSize: 31, positions: 32, width: 8, heads: 2, factor: 2, levels: 2 };
const FORMS = ["published", "causal"] as const;

function build(form: ConvAttentionConfig["form"], changes: Partial<ConvAttentionConfig> = {}) {
  return new ConvAttention(gpu, { ...TINY, form, ...changes }, 5);
}

function ids(length: number, stream = 0): Int32Array {
  return Int32Array.from(
    { length },
    (_, i) => Math.floor(uniformAt(3, stream, i) * TINY.vocabSize),
  );
}

async function logitsOf(model: ConvAttention, tokens: Int32Array, mask?: Int32Array) {
  return await gpu.scope(() =>
    gpu.readFloats(model.logits(gpu.tensor(tokens, [1, tokens.length]), {
      keyMask: mask && gpu.tensor(mask, [1, tokens.length]),
    }))
  );
}

/** Positions whose logits change when token j does. */
async function changedBy(model: ConvAttention, tokens: Int32Array, j: number): Promise<number[]> {
  const before = await logitsOf(model, tokens);
  const other = tokens.slice();
  other[j] = (other[j] + 1) % TINY.vocabSize;
  const after = await logitsOf(model, other);
  const changed = new Set<number>();
  before.forEach((value, i) => {
    if (value !== after[i]) changed.add(Math.floor(i / TINY.vocabSize));
  });
  return [...changed];
}

gpuTest("ConvAttention has the parameter count of the source at its sizes", () => {
  // The published form: 9.24 M with the vocabulary padded to 50,304.
  const sizes = { vocabSize: 50304, positions: 1024, width: 48, heads: 6 };
  const published = new ConvAttention(gpu, { ...sizes, form: "published" }, 1);
  assert.equal(published.parameters.count, 9_246_336);
  assert.equal(published.horizon, 64);
  published.dispose();
  const causal = new ConvAttention(gpu, { ...sizes, form: "causal" }, 1);
  assert.equal(causal.parameters.count, 9_073_680);
  causal.dispose();
});

gpuTest("ConvAttention in its published form sees its own targets", async () => {
  const model = build("published");
  assert.equal(model.horizon, 4);
  for (const j of [9, 31]) {
    const changed = await changedBy(model, ids(32), j);
    assert.ok(changed.includes(j - model.horizon), "the output that predicts token j changes");
    assert.equal(Math.min(...changed), 0, "so do outputs long before it");
  }
  model.dispose();
});

gpuTest("ConvAttention in its causal form influences later groups only", async () => {
  const model = build("causal");
  for (const j of [0, 5, 7, 8, 30]) {
    const changed = await changedBy(model, ids(32), j);
    const next = (Math.floor(j / model.horizon) + 1) * model.horizon;
    if (next >= 32) assert.deepEqual(changed, []);
    else {
      assert.equal(Math.min(...changed), next);
      assert.equal(changed.length, 32 - next);
    }
  }
  model.dispose();
});

for (const form of FORMS) {
  gpuTest(`ConvAttention (${form}) gives every parameter a finite gradient`, async () => {
    const model = build(form);
    const reads = gpu.scope(() =>
      gpu.withTape((tape) => {
        const loss = model.loss(gpu.tensor(ids(64), [2, 32]), gpu.tensor(ids(64, 1), [2, 32]));
        const value = gpu.readLater(loss).value;
        tape.backward(loss);
        return [
          ["loss", value] as const,
          ...[...model.parameters].map((p) => [p.name, gpu.readLater(p.gradient).value] as const),
        ];
      })
    );
    gpu.submit();
    for (const [name, value] of reads) {
      const values = [...await value];
      assert.ok(values.every(Number.isFinite), name);
      assert.ok(values.some((x) => x !== 0), `${name} gets a gradient`);
    }
    model.dispose();
  });

  gpuTest(`ConvAttention (${form}) takes any length and ignores padding`, async () => {
    const model = build(form);
    for (const length of [1, 7, 30, 32]) {
      const short = await logitsOf(model, ids(length));
      assert.equal(short.length, length * TINY.vocabSize);
      assert.ok(short.every(Number.isFinite));
      // The same tokens behind padding of two kinds, masked by hand.
      const full = form === "published" ? 32 : Math.ceil(length / 4) * 4;
      const padded = new Int32Array(full);
      padded.set(ids(length), full - length);
      const mask = padded.map((_, i) => i < full - length ? 0 : 1);
      const [a, b] = [padded, padded.map((id, i) => mask[i] ? id : 17)];
      const ends = [await logitsOf(model, a, mask), await logitsOf(model, b, mask)].map((x) =>
        x.subarray((full - length) * TINY.vocabSize)
      );
      assert.deepEqual([...ends[0]], [...ends[1]], "the ids of padding do not matter");
      // A full length goes without a mask, which the kernels round the same way only nearly.
      assertClose(`length ${length}`, ends[0], short);
    }
    model.dispose();
  });
}

gpuTest("PrefixDecoder gives the last logits of ever longer prefixes", async () => {
  const model = build("causal");
  const decoder = model.decoder(1);
  for (const [i, id] of ids(6).entries()) {
    const got = await gpu.scope(() =>
      gpu.readFloats(decoder.step(gpu.tensor(Int32Array.of(id), [1])))
    );
    const want = await logitsOf(model, ids(i + 1));
    assertClose(`step ${i}`, got, want.subarray(i * TINY.vocabSize));
  }
  assert.equal(decoder.position, 6);
  decoder.dispose();
  model.dispose();
});

gpuTest("ConvAttention refuses sizes and sequences that do not fit", () => {
  assert.throws(() => build("causal", { positions: 30 }), ConfigError);
  assert.throws(() => build("published", { positions: 30 }), /2 \^ 2 = 4/);
  assert.throws(() => build("causal", { width: 9 }), /multiple of heads/);
  assert.throws(() => build("causal", { levels: 0 }), /levels is 0/);
  const model = build("causal");
  assert.throws(
    () => gpu.scope(() => model.logits(gpu.tensor(ids(33), [1, 33]))),
    /33 tokens and the position table 32/,
  );
  model.dispose();
});
