import assert from "node:assert/strict";
import { fusedLeapAttention, naiveLeapAttention } from "../../../attention/leap/mod.ts";
import { referenceLeap } from "../../../attention/leap/mod.ts";
import { relativeRms } from "../../_helpers/assert_close.ts";
import { gpuTest } from "../../_helpers/gpu.ts";
import { leapInput, leapOutput, VARIANTS } from "./_cases.ts";

for (const variant of VARIANTS) {
  for (const window of [4, 64]) {
    gpuTest(`windowed sums of ${variant} w=${window} do not cancel at T=2048`, async () => {
      const input = leapInput({ variant, B: 1, T: 2048, H: 2, d: 16, window });
      // With q = 0 the gate is 1/2 everywhere, so the output is half the focused value g.
      for (let i = 0; i < input.packed.length; i++) {
        if (Math.floor(i / (input.H * input.d)) % 4 === 0) input.packed[i] = 0;
      }
      const { output, focused } = referenceLeap(input);
      assert.equal(output[5], focused[5] / 2);
      const error = async (attention: typeof fusedLeapAttention) =>
        relativeRms(await leapOutput(input, attention), output);
      const fused = await error(fusedLeapAttention);
      const segmented = await error((packed, options) => naiveLeapAttention(packed, options));
      const difference = await error((packed, options) =>
        naiveLeapAttention(packed, { ...options, windowSum: "difference" })
      );
      const measured = `fused ${fused}, segmented ${segmented}, difference ${difference}`;
      assert.ok(fused < 2e-6 && segmented < 2e-6, measured);
      // Shorter windows keep fewer of the running sum's digits.
      assert.ok(difference > (window === 4 ? 100 : 5) * fused, measured);
    });
  }
}
