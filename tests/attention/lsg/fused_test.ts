import { fusedLsgAttention, naiveLsgAttention } from "../../../attention/lsg/mod.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";
import { checkOperation } from "../../_helpers/gradients.ts";
import { CASES, describe, inputOf, patternOf } from "./_cases.ts";
import { oracleLsg } from "./_oracle.ts";

for (const testCase of CASES) {
  for (
    const [form, attend] of [["fused", fusedLsgAttention], ["naive", naiveLsgAttention]] as const
  ) {
    gpuTest(`${form}LsgAttention() matches the float64 oracle: ${describe(testCase)}`, async () => {
      const pattern = patternOf(testCase);
      const input = inputOf(testCase);
      const { B, N, H, d, keyMask, dropout } = input;
      const mask = keyMask && gpu.tensor(keyMask, [B, N]);
      await checkOperation(describe(testCase), {
        inputs: [{ name: "qkv", shape: [B, N, 3, H, d] }],
        run: (qkv) => attend(qkv, { ...pattern, keyMask: mask, dropout }),
        reference: (qkv) => oracleLsg(qkv, pattern, input),
        // The fault lets gradients through weights that do not depend on their scores: no difference quotient shows them.
        constant: pattern.parity?.bosPoolingMaskBug ? ["qkv"] : [],
      });
    });
  }
}
