import { fusedLsgAttention, naiveLsgAttention, referenceLsg } from "../../../attention/lsg/mod.ts";
import type { SparseVariant } from "../../../attention/block_sparse/variant.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";
import { checkOperation } from "../../_helpers/gradients.ts";
import { CASES, describe, inputOf, type LsgCase, patternOf } from "./_cases.ts";

type Form = "fused" | "naive";

async function checkAgainstReference(
  testCase: LsgCase,
  form: Form,
  variant?: SparseVariant,
): Promise<void> {
  const pattern = patternOf(testCase);
  const input = inputOf(testCase);
  const { B, N, H, d, keyMask, dropout } = input;
  const options = { ...pattern, keyMask: keyMask && gpu.tensor(keyMask, [B, N]), dropout };
  await checkOperation(describe(testCase), {
    inputs: [{ name: "qkv", shape: [B, N, 3, H, d] }],
    run: (qkv) =>
      form === "fused"
        ? fusedLsgAttention(qkv, { ...options, variant })
        : naiveLsgAttention(qkv, options),
    reference: (qkv) => referenceLsg(qkv, pattern, input),
    // The fault lets gradients through weights that do not depend on their scores: no difference quotient shows them.
    constant: pattern.parity?.bosPoolingMaskBug ? ["qkv"] : [],
  });
}

for (const testCase of CASES) {
  for (const form of ["fused", "naive"] as const) {
    gpuTest(
      `${form}LsgAttention() matches referenceLsg(): ${describe(testCase)}`,
      () => checkAgainstReference(testCase, form),
    );
  }
}

// What the default never does at these sizes: several rows per thread, several blocks per workgroup, the threads of a GPU.
for (const variant of [{ threads: 8, rows: 4 }, { threads: 32, rows: 1 }]) {
  const name = `${variant.threads} threads of ${variant.rows}`;
  for (const testCase of CASES.filter(({ d = 4 }) => d === 4)) {
    gpuTest(
      `fusedLsgAttention() matches referenceLsg() with ${name}: ${describe(testCase)}`,
      () => checkAgainstReference(testCase, "fused", variant),
    );
  }
}
