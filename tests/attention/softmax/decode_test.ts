import assert from "node:assert/strict";
import { decodeAttention, fusedAttention, KeyValueCache } from "../../../attention/softmax/mod.ts";
import { assertClose } from "../../_helpers/assert_close.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";
import { randomArray } from "../../_helpers/gradients.ts";

/** Rows first .. end - 1 of every batch entry of [B, T, width]. */
function rows(x: Float32Array, B: number, width: number, first: number, end: number): Float32Array {
  const T = x.length / B / width;
  const parts = Array.from(
    { length: B },
    (_, b) => [...x.subarray((b * T + first) * width, (b * T + end) * width)],
  );
  return Float32Array.from(parts.flat());
}

for (
  const { B, H, d, T } of [{ B: 1, H: 1, d: 4, T: 3 }, { B: 2, H: 3, d: 32, T: 130 }, {
    B: 2,
    H: 2,
    d: 6,
    T: 41,
  }]
) {
  gpuTest(
    `decodeAttention() gives the rows of full attention: B${B} H${H} d${d} T${T}`,
    async () => {
      const D = H * d;
      const host = randomArray(B * T * 3 * D, 1);
      const prompt = Math.floor(T / 2);
      const cache = new KeyValueCache(gpu, { B, maxT: T + 5, H, d });
      const { full, steps } = gpu.scope(() => {
        const full = gpu.readLater(
          fusedAttention(gpu.tensor(host, [B, T, 3 * D]), { heads: H, causal: true }),
        );
        cache.append(gpu.tensor(rows(host, B, 3 * D, 0, prompt), [B, prompt, 3 * D]));
        const steps = [];
        for (let t = prompt; t < T; t++) {
          const qkv = gpu.tensor(rows(host, B, 3 * D, t, t + 1), [B, 1, 3 * D]);
          cache.append(qkv);
          steps.push(gpu.readLater(decodeAttention(qkv, cache, t + 1)));
        }
        return { full, steps };
      });
      gpu.submit();
      const expected = await full.value as Float32Array;
      for (const [n, step] of steps.entries()) {
        const row = rows(expected, B, D, prompt + n, prompt + n + 1);
        assertClose(`position ${prompt + n}`, await step.value as Float32Array, row, {
          relative: 2e-6,
        });
      }
      assert.equal(cache.length, T);
      cache.dispose();
    },
  );
}

gpuTest("decodeAttention() takes separate tensors and a position to write again", async () => {
  const [B, H, d, T] = [1, 2, 8, 20];
  const shape = [B, T, H, d];
  const cache = new KeyValueCache(gpu, { B, maxT: T, H, d });
  const { whole, step } = gpu.scope(() => {
    const [q, k, v] = [1, 2, 3].map((n) => gpu.tensor(randomArray(T * H * d, n), shape));
    cache.append({ k: gpu.zeros(shape), v: gpu.zeros(shape) });
    cache.append({ k, v }, 0);
    const last = q.view([B, 1, H, d], 0);
    return {
      whole: gpu.readLater(fusedAttention({ q: last, k, v }, { scale: 0.5 })),
      step: gpu.readLater(decodeAttention(last, cache, T, { scale: 0.5 })),
    };
  });
  gpu.submit();
  assertClose("output", await step.value as Float32Array, await whole.value as Float32Array);
  cache.dispose();
});

gpuTest("KeyValueCache refuses what does not fit", () => {
  const cache = new KeyValueCache(gpu, { B: 1, maxT: 4, H: 2, d: 4 });
  gpu.scope(() => {
    assert.throws(() => cache.append(gpu.zeros([1, 5, 24])), /room for 4/);
    assert.throws(() => cache.append(gpu.zeros([2, 1, 24])), /batch 2/);
    assert.throws(() => decodeAttention(gpu.zeros([1, 1, 8]), cache), /over 0 positions/);
    cache.append(gpu.zeros([1, 1, 24]));
    assert.throws(() => decodeAttention(gpu.zeros([1, 1, 12]), cache), /\[1, 1, 12\]/);
    assert.throws(() => decodeAttention(gpu.zeros([1, 1, 8]), cache, 5), /expected 1 to 4/);
  });
  cache.dispose();
});
