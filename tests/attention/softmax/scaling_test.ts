import assert from "node:assert/strict";
import {
  attentionFlops,
  attentionTunable,
  candidateVariants,
  fusedAttention,
  variantName,
} from "../../../attention/softmax/mod.ts";
import { pinChoice } from "../../../engine/autotune/choices.ts";
import { assertClose } from "../../_helpers/assert_close.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";
import { randomArray } from "../../_helpers/gradients.ts";

/** Bytes above the inputs at the peak of one training step. */
function peakOfStep(T: number): number {
  const [H, d] = [2, 8];
  return gpu.scope(() => {
    const x = gpu.tensor(randomArray(T * 3 * H * d, 1), [1, T, 3, H, d]);
    x.requiresGrad = true;
    gpu.memory.resetPeak();
    const before = gpu.memory.liveBytes;
    gpu.withTape((tape) => {
      const y = fusedAttention(x, { causal: true });
      tape.backward(y, gpu.full(y.shape, 1), [x]);
    });
    return gpu.memory.peakBytes - before;
  });
}

gpuTest("fusedAttention() takes memory linear in T", async () => {
  const [half, full] = [peakOfStep(512), peakOfStep(1024)];
  await gpu.idle();
  assert.ok(full < 2.1 * half, `${half} bytes at T = 512, ${full} at 1024`);
  assert.ok(full < 1024 * 1024 * 4 / 4, `${full} bytes are a quarter of one [T, T] matrix or more`);
});

gpuTest("fusedAttention() leaves nothing behind", async () => {
  const before = gpu.memory.liveBytes;
  peakOfStep(64);
  await gpu.idle();
  assert.equal(gpu.memory.liveBytes, before);
});

gpuTest("fusedAttention() is right at T = 4096 (sampled rows)", async () => {
  const [T, H, d] = [4096, 4, 32];
  const host = randomArray(T * 3 * H * d, 1);
  const later = gpu.scope(() =>
    gpu.readLater(fusedAttention(gpu.tensor(host, [1, T, 3, H, d]), { causal: true }))
  );
  gpu.submit();
  const o = await later.value as Float32Array;
  const row = (part: number, t: number, h: number) =>
    host.subarray(((t * 3 + part) * H + h) * d, ((t * 3 + part) * H + h + 1) * d);
  const product = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, c) => sum + x * b[c], 0);
  for (const [i, h] of [[0, 0], [31, 1], [2047, 2], [4000, 3], [4095, 0]]) {
    const weights = Float64Array.from(
      { length: i + 1 },
      (_, j) => Math.exp(product(row(0, i, h), row(1, j, h)) / Math.sqrt(d)),
    );
    const total = weights.reduce((a, b) => a + b);
    const expected = Float64Array.from(
      { length: d },
      (_, c) => weights.reduce((sum, w, j) => sum + w * row(2, j, h)[c], 0) / total,
    );
    assertClose(
      `row ${i} of head ${h}`,
      o.subarray((i * H + h) * d, (i * H + h + 1) * d),
      expected,
    );
  }
});

Deno.test("attentionFlops() counts the pairs a causal mask leaves", () => {
  const count = (Tq: number, Tk: number) => {
    let pairs = 0;
    for (let i = 0; i < Tq; i++) for (let j = 0; j < Tk; j++) pairs += Number(j <= i + Tk - Tq);
    return pairs;
  };
  for (const [T, Tk] of [[1, 1], [7, 7], [3, 9], [9, 3], [1, 20]]) {
    const flops = attentionFlops({ B: 2, H: 3, T, Tk, d: 4, causal: true });
    const pairs = 2 * 3 * 4 * count(T, Tk);
    assert.deepEqual(flops, {
      forward: 4 * pairs,
      backward: 14 * pairs,
      backwardModel: 8 * pairs,
    });
  }
  assert.equal(attentionFlops({ B: 1, H: 1, T: 10, d: 8 }).forward, 4 * 100 * 8);
});

gpuTest("fusedAttention() uses the variant that was pinned", async () => {
  const x = gpu.tensor(randomArray(8 * 3 * 8, 1), [1, 8, 3, 2, 4]);
  for (const [n, { name }] of attentionTunable.candidates.entries()) {
    const variant = candidateVariants(4)[n];
    pinChoice(gpu, attentionTunable, name);
    const pipelines = gpu.counters.pipelinesCreated;
    const pinned = gpu.scope(() => gpu.readLater(fusedAttention(x)));
    assert.ok(gpu.counters.pipelinesCreated > pipelines, `${name} has kernels of its own`);
    pinChoice(gpu, attentionTunable, undefined);
    const made = gpu.counters.pipelinesCreated;
    const forced = gpu.scope(() => gpu.readLater(fusedAttention(x, { variant })));
    assert.equal(gpu.counters.pipelinesCreated, made, `${name} is ${variantName(variant)}`);
    gpu.submit();
    assert.deepEqual(await pinned.value, await forced.value);
  }
});

gpuTest("attentionTunable's candidates agree and have its default among them", async () => {
  const { B, H, T, d } = { B: 1, H: 2, T: 40, d: 20 };
  const layout = { offset: 0, row: H * d, batch: T * H * d };
  const sizes = { B, H, Tq: T, Tk: T, d, q: layout, k: layout, v: layout };
  const problem = { ...sizes, scale: 0.2, causal: true, masked: false };
  const names = attentionTunable.candidates.map((c) => c.name);
  assert.ok(names.includes(attentionTunable.defaultFor(gpu.info, problem)));
  const results = gpu.scope(() => {
    const { tensors, output } = attentionTunable.prepare(gpu, problem);
    return attentionTunable.candidates.map((candidate) => {
      candidate.dispatch(gpu, problem, tensors);
      return gpu.readLater(output);
    });
  });
  gpu.submit();
  const [first, ...others] = await Promise.all(results.map((r) => r.value)) as Float32Array[];
  assert.ok(first.some((x) => Math.abs(x) > 1e-3));
  others.forEach((other, n) => assertClose(names[n + 1], other, first));
});
