import assert from "node:assert/strict";
import {
  fusedLsgAttention,
  referenceLsg,
  type ReferenceLsgFault,
} from "../../../attention/lsg/mod.ts";
import { add, detach, mulScalar, reshape, slice, sub } from "../../../engine/mod.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";
import { checkOperation } from "../../_helpers/gradients.ts";
import { inputOf, type LsgCase, patternOf } from "./_cases.ts";

const FAULTS: {
  fault: ReferenceLsgFault;
  case: LsgCase;
}[] = [
  { fault: "window-off-by-one", case: { T: 24, sparsityType: "none" } },
  { fault: "masked-group-visible", case: { T: 24, sparsityType: "pooling", masked: true } },
  { fault: "masked-group-visible", case: { T: 24, sparsityType: "bos_pooling", masked: true } },
  { fault: "globals-twice", case: { T: 24, sparsityType: "norm", globals: 2 } },
];

for (const { fault, case: testCase } of FAULTS) {
  gpuTest(
    `a comparison with referenceLsg() catches a planted fault: ${fault}, ${testCase.sparsityType}`,
    async () => {
      const pattern = patternOf(testCase);
      const input = inputOf(testCase);
      const { B, N, H, d, keyMask } = input;
      const compare = (planted: typeof fault | undefined) =>
        checkOperation(fault, {
          inputs: [{ name: "qkv", shape: [B, N, 3, H, d] }],
          run: (qkv) =>
            fusedLsgAttention(qkv, {
              ...pattern,
              keyMask: keyMask && gpu.tensor(keyMask, [B, N]),
            }),
          reference: (qkv) => referenceLsg(qkv, pattern, { ...input, fault: planted }),
        });
      await compare(undefined);
      await assert.rejects(() => compare(fault), {
        name: "AssertionError",
        message: /output: relative RMS error/,
      });
    },
  );
}

gpuTest("a comparison with referenceLsg() catches a gradient that is a hundredth off", async () => {
  const testCase: LsgCase = { T: 24, sparsityType: "norm" };
  const pattern = patternOf(testCase);
  const input = inputOf(testCase);
  const { B, N, H, d } = input;
  const compare = (fault: number) =>
    checkOperation("gradient", {
      inputs: [{ name: "qkv", shape: [B, N, 3, H, d] }],
      run: (qkv) => {
        const y = fusedLsgAttention(qkv, pattern);
        // Adds nothing to the value and a little to the gradient of the queries.
        const extra = mulScalar(reshape(slice(qkv, [0, 0, 0], [B, N, 1]), y.shape), fault);
        return add(y, sub(extra, detach(extra)));
      },
      reference: (qkv) => referenceLsg(qkv, pattern, input),
    });
  await compare(0);
  await assert.rejects(() => compare(0.01), {
    name: "AssertionError",
    message: /gradient of qkv: relative RMS error/,
  });
});
