import assert from "node:assert/strict";
import { lsgFlops } from "../../../attention/lsg/mod.ts";
import { CASES, describe, inputOf, patternOf } from "./_cases.ts";

for (const testCase of CASES.filter(({ masked, dropout }) => !masked && !dropout)) {
  Deno.test(`lsgFlops() counts the pairs one by one: ${describe(testCase)}`, () => {
    const pattern = patternOf(testCase);
    const { B, H, T, d } = inputOf(testCase);
    const { globals: G, blockSize: size, sparseBlockSize: S, sparsityFactor: f, causal } = pattern;
    const [full, w] = [T <= 2 * size, size / f];
    const sparse = S > 0 && f > 0 && pattern.sparsityType !== "none" && !full;
    const slots = sparse ? Math.ceil(T / size) * w : 0;
    let pairs = 0;
    for (let i = 0; i < G + T; i++) {
      const block = Math.floor((i - G) / size);
      for (let j = 0; j < G + T; j++) {
        const other = Math.floor((j - G) / size);
        const near = i < G || j < G || full || Math.abs(block - other) <= 1;
        // In the long causal form a global attends to nothing; the short one computes its row and replaces it.
        const asks = !causal || full || i >= G;
        pairs += Number(near && asks && (!causal || j <= i));
      }
      const right = pattern.parity?.oddRightOffset ? block : (block + 2) * w;
      for (let s = 0; s < slots && i >= G; s++) {
        const before = s >= (block - 1) * w - S && s < (block - 1) * w;
        pairs += Number(before || (!causal && s >= right && s < right + S));
      }
    }
    assert.equal(lsgFlops({ B, H, T, d, ...pattern }).forward, 4 * B * H * d * pairs);
  });
}
