import assert from "node:assert/strict";
import {
  fusedLeapAttention,
  LeapState,
  type LeapStateOptions,
  leapStateSize,
} from "../../../attention/leap/mod.ts";
import { assertClose } from "../../_helpers/assert_close.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";
import { type LeapInput, leapInput, leapOutput, VARIANTS } from "./_cases.ts";

/** Outputs [B, T, H, d] of decoding token by token. */
async function decode(state: LeapState, { packed, B, T, H, d }: LeapInput): Promise<Float32Array> {
  const steps = Array.from({ length: T }, (_, t) => {
    const token = new Float32Array(B * 4 * H * d);
    for (let b = 0; b < B; b++) {
      const at = (b * T + t) * 4 * H * d;
      token.set(packed.subarray(at, at + 4 * H * d), b * 4 * H * d);
    }
    return gpu.scope(() => gpu.readLater(state.step(gpu.tensor(token, [B, 1, 4, H, d]))));
  });
  gpu.submit();
  const output = new Float32Array(B * T * H * d);
  for (const [t, { value }] of steps.entries()) {
    const y = await value as Float32Array;
    for (let b = 0; b < B; b++) {
      output.set(y.subarray(b * H * d, (b + 1) * H * d), (b * T + t) * H * d);
    }
  }
  return output;
}

for (const variant of VARIANTS) {
  for (const window of [1, 4, 16, 70, Infinity]) {
    gpuTest(`LeapState ${variant} w=${window} equals the parallel form`, async () => {
      const input = leapInput({ variant, B: 2, T: 70, H: 2, d: 8, window });
      const options: LeapStateOptions = { variant, B: 2, H: 2, d: 8, window, contextLength: 70 };
      const state = new LeapState(gpu, options);
      const expected = await leapOutput(input, fusedLeapAttention);
      assertClose("first sequence", await decode(state, input), expected, { relative: 3e-6 });
      const bytes = state.stateSize();
      assert.equal(bytes, leapStateSize(options));
      assert.throws(() => gpu.scope(() => state.step(gpu.zeros([2, 1, 4, 2, 8]))), RangeError);
      state.reset();
      assertClose("second sequence", await decode(state, input), expected, { relative: 3e-6 });
      state.dispose();
    });
  }
}

gpuTest("LeapState 1.0.1 without rescale equals the parallel form", async () => {
  const input = leapInput({ variant: "1.0.1", rescale: null, B: 2, T: 40, H: 2, d: 8, window: 9 });
  const state = new LeapState(gpu, { ...input, contextLength: 40 });
  const expected = await leapOutput(input, fusedLeapAttention);
  assertClose("output", await decode(state, input), expected, { relative: 3e-6 });
  state.dispose();
});

gpuTest("LeapState without a context length keeps a ring of any window", async () => {
  for (const d of [6, 5]) {
    const input = leapInput({ variant: "1.0", B: 1, T: 23, H: 3, d, window: 9 });
    const state = new LeapState(gpu, { ...input, window: 9 });
    const expected = await leapOutput(input, fusedLeapAttention);
    assertClose(`d=${d}`, await decode(state, input), expected, { relative: 3e-6 });
    state.dispose();
  }
});

Deno.test("leapStateSize() counts ring and prefix", () => {
  const sizes = { B: 2, H: 3, d: 32, contextLength: 1024 } as const;
  // 8 vectors of v, one for the weight; 16 bytes each.
  assert.equal(leapStateSize({ ...sizes, variant: "2022-08", window: Infinity }), 6 * 9 * 16);
  assert.equal(leapStateSize({ ...sizes, variant: "2022-08", window: 1024 }), 6 * 9 * 16);
  assert.equal(leapStateSize({ ...sizes, variant: "1.0", window: 64 }), 6 * 65 * 17 * 16);
});
