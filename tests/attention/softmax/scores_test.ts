import assert from "node:assert/strict";
import {
  type AttentionScoring,
  fusedAttention,
  fusedAttentionWithScores,
  naiveAttentionWithScores,
} from "../../../attention/mod.ts";
import { assertClose } from "../../_helpers/assert_close.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";
import { randomArray } from "../../_helpers/gradients.ts";

const CASES = [
  { B: 1, H: 1, T: 1, d: 4 },
  { B: 2, H: 3, T: 33, d: 6, masked: true },
  { B: 2, H: 2, T: 70, d: 32, masked: true },
  { B: 1, H: 2, T: 33, d: 5, causal: true },
  { B: 2, H: 1, T: 65, d: 8, causal: true, masked: true },
];

for (const { B, H, T, d, masked, causal } of CASES) {
  const label = `B${B} H${H} T${T} d${d}${causal ? " causal" : ""}${masked ? " masked" : ""}`;
  for (const scoring of ["row-column", "received"] as AttentionScoring[]) {
    gpuTest(
      `fusedAttentionWithScores() equals the sums over the matrix: ${label} ${scoring}`,
      async () => {
        const qkv = gpu.tensor(randomArray(B * T * 3 * H * d, 5), [B, T, 3, H, d]);
        const mask = new Int32Array(B * T).fill(1);
        mask.fill(0, Math.ceil(T * 0.7), T);
        const keyMask = masked ? gpu.tensor(mask, [B, T]) : undefined;
        const options = { keyMask, causal, scoring };
        const [fused, naive] = [
          fusedAttentionWithScores(qkv, options),
          naiveAttentionWithScores(qkv, options),
        ];
        const got = await gpu.readFloats(fused.scores);
        assertClose("scores", got, await gpu.readFloats(naive.scores), { relative: 1e-5 });
        // Every real token pays 1 in all, so the received shares of a sequence add up to 1.
        if (scoring === "received") {
          for (let b = 0; b < B; b++) {
            const total = got.subarray(b * T, (b + 1) * T).reduce((sum, s) => sum + s, 0);
            assert.ok(Math.abs(total - 1) < 1e-5, `sequence ${b} adds up to ${total}`);
          }
        }
        const output = fusedAttention(qkv, { keyMask, causal });
        assert.deepEqual(await gpu.readFloats(fused.output), await gpu.readFloats(output));
        for (
          const t of [qkv, keyMask, fused.output, fused.scores, naive.output, naive.scores, output]
        ) {
          t?.dispose();
        }
      },
    );
  }
}

gpuTest("attention scores hold no T x T matrix", () => {
  const [T, d] = [512, 8];
  const qkv = gpu.tensor(randomArray(T * 3 * d, 6), [1, T, 3, 1, d]);
  const peak = (form: typeof fusedAttentionWithScores) => {
    gpu.memory.resetPeak();
    const before = gpu.memory.liveBytes;
    gpu.scope(() => void form(qkv));
    return gpu.memory.peakBytes - before;
  };
  const matrix = T * T * 4;
  assert.ok(peak(fusedAttentionWithScores) < matrix / 4);
  assert.ok(peak(naiveAttentionWithScores) > matrix);
  qkv.dispose();
});

gpuTest("fusedAttentionWithScores() refuses cross-attention", () => {
  const q = gpu.tensor(new Float32Array(8), [1, 2, 1, 4]);
  const k = gpu.tensor(new Float32Array(12), [1, 3, 1, 4]);
  assert.throws(() => fusedAttentionWithScores({ q, k, v: k }), /2 positions and k 3/);
});
