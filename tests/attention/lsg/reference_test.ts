import assert from "node:assert/strict";
import { type LsgPattern, referenceLsg } from "../../../attention/mod.ts";

/** Values that name their token: with all scores equal, the output is the mean of what a query sees. */
function tokensSeen(pattern: LsgPattern, T: number, masked: readonly number[] = []): number[][] {
  const N = pattern.globals + T;
  const d = N;
  const qkv = new Float64Array(N * 3 * d);
  for (let n = 0; n < N; n++) qkv[(n * 3 + 2) * d + n] = 1;
  const keyMask = Array.from({ length: N }, (_, n) => masked.includes(n) ? 0 : 1);
  const output = referenceLsg(qkv, pattern, { B: 1, H: 1, T, d, keyMask });
  return Array.from({ length: N }, (_, n) => {
    const row = output.subarray(n * d, (n + 1) * d);
    return [...row.keys()].filter((j) => row[j] > 0);
  });
}

const range = (from: number, end: number) => Array.from({ length: end - from }, (_, i) => from + i);

Deno.test("referenceLsg() sees the keys of the specification's example (block 4, sparse 4, factor 2)", () => {
  const pattern: LsgPattern = {
    ...{ globals: 1, blockSize: 4, sparseBlockSize: 4, sparsityFactor: 2 },
    sparsityType: "stride",
  };
  const seen = tokensSeen(pattern, 16);
  const text = (...tokens: number[]) => [0, ...tokens.map((t) => t + 1)];
  assert.deepEqual(seen[0], range(0, 17));
  // Head 0 of stride: slot c_j is text token 2j. Block 0: local 0-7 and c4 to c7; block 1: local 0-11, c6 and c7.
  assert.deepEqual(seen[1], text(...range(0, 8), 8, 10, 12, 14));
  assert.deepEqual(seen[5], text(...range(0, 12), 12, 14));
  assert.deepEqual(seen[9], text(0, 2, ...range(4, 16)));
  assert.deepEqual(seen[13], text(0, 2, 4, 6, ...range(8, 16)));
});

Deno.test("referenceLsg() hides masked tokens, the first one where asked, and the future in the causal form", () => {
  const pattern: LsgPattern = {
    ...{ globals: 1, blockSize: 4, sparseBlockSize: 0, sparsityFactor: 0, sparsityType: "none" },
  };
  assert.ok(!tokensSeen(pattern, 12, [3])[1].includes(3));
  const hidden = tokensSeen({ ...pattern, maskFirstToken: true }, 12);
  assert.ok(hidden.every((keys) => !keys.includes(1)));
  const causal = tokensSeen({ ...pattern, causal: true }, 12);
  for (let n = 1; n < 13; n++) {
    assert.equal(causal[n].at(-1), n);
    assert.equal(causal[n][0], 0);
  }
});

Deno.test("referenceLsg() attends texts of two blocks in full", () => {
  const pattern: LsgPattern = {
    ...{ globals: 2, blockSize: 4, sparseBlockSize: 4, sparsityFactor: 2, sparsityType: "norm" },
  };
  assert.ok(tokensSeen(pattern, 8).every((keys) => keys.length === 10));
  assert.ok(tokensSeen(pattern, 9).some((keys) => keys.length < 11));
});
