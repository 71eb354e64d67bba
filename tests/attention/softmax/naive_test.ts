import assert from "node:assert/strict";
import {
  attentionProbabilities,
  fusedAttention,
  type FusedAttentionOptions,
  naiveAttention,
  naiveAttentionWithProbabilities,
} from "../../../attention/softmax/mod.ts";
import { assertClose } from "../../_helpers/assert_close.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";
import { randomArray } from "../../_helpers/gradients.ts";
import { referenceAttention } from "./reference.ts";

const [B, T, H, d] = [2, 35, 3, 12];
const D = H * d;
const MASK = Int32Array.from({ length: B * T }, (_, i) => i % T < 20 ? 1 : 0);
const dropout = { p: 0.25, seed: 5, stream: 6 };

for (
  const [label, options] of Object.entries({
    "full": {},
    "causal": { causal: true },
    "dropout": { causal: true, dropout },
    "key mask": { masked: true, causal: true, scale: 0.7 },
  }) as [string, FusedAttentionOptions & { masked?: boolean }][]
) {
  gpuTest(`naiveAttention() and fusedAttention() agree on packed input: ${label}`, async () => {
    const { masked, ...rest } = options;
    const settings = { ...rest, heads: H, keyMask: masked ? gpu.tensor(MASK, [B, T]) : undefined };
    const packed = gpu.tensor(randomArray(B * T * 3 * D, 1), [B, T, 3 * D]);
    packed.requiresGrad = true;
    const run = (attention: typeof fusedAttention) =>
      gpu.scope(() =>
        gpu.withTape((tape) => {
          const y = attention(packed, settings);
          assert.deepEqual(y.shape, [B, T, D]);
          const output = gpu.readLater(y);
          const [gradient] = tape.backward(y, gpu.tensor(randomArray(B * T * D, 2), y.shape), [
            packed,
          ]);
          return { output, gradient: gpu.readLater(gradient!) };
        })
      );
    const naive = run(naiveAttention);
    const fused = run(fusedAttention);
    gpu.submit();
    const floats = async (x: { value: Promise<unknown> }) => await x.value as Float32Array;
    assertClose("output", await floats(fused.output), await floats(naive.output));
    assertClose("gradient", await floats(fused.gradient), await floats(naive.gradient));
  });
}

gpuTest(
  "naiveAttention() returns the attention matrix and zeros for rows that see no key",
  async () => {
    const shape = [B, T, H, d];
    const [q, k, v] = [1, 2, 3].map((n) => randomArray(B * T * D, n));
    const mask = MASK.map((x, i) => i < T ? x : 0);
    const { p, alone, output } = gpu.scope(() => {
      const [tq, tk, tv] = [q, k, v].map((x) => gpu.tensor(x, shape));
      const keyMask = gpu.tensor(mask, [B, T]);
      const both = naiveAttentionWithProbabilities({ q: tq, k: tk, v: tv }, {
        keyMask,
        causal: true,
      });
      return {
        p: gpu.readLater(both.probabilities),
        output: gpu.readLater(both.output),
        alone: gpu.readLater(attentionProbabilities(tq, tk, { keyMask, causal: true })),
      };
    });
    gpu.submit();
    const sizes = { B, H, Tq: T, Tk: T, d, causal: true, keyMask: mask };
    const expected = referenceAttention(q, k, v, new Float32Array(q.length), sizes);
    assertClose("probabilities", await p.value as Float32Array, expected.p);
    assertClose("output", await output.value as Float32Array, expected.o);
    assert.deepEqual(await alone.value, await p.value);
  },
);
