import assert from "node:assert/strict";
import {
  fusedLongformerAttention,
  longformerFlops,
  naiveLongformerAttention,
} from "../../../attention/longformer/mod.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";
import { checkOperation } from "../../_helpers/gradients.ts";
import { paddedMask, referencePattern } from "../block_sparse/_reference.ts";

const CASES = [
  { B: 1, T: 1, d: 4, globals: 1, window: 1 },
  { B: 1, T: 23, d: 4, globals: 1, window: 1 },
  { B: 2, T: 23, d: 4, globals: 3, window: 5, masked: true },
  { B: 1, T: 23, d: 4, globals: 1, window: 40 },
  { B: 1, T: 23, d: 4, globals: 1, window: 2 ** 32 - 2 },
  { B: 1, T: 90, d: 4, globals: 2, window: 7, masked: true },
  { B: 1, T: 19, d: 3, globals: 1, window: 4 },
  { B: 2, T: 21, d: 4, globals: 2, window: 4, masked: true, dropout: true },
];

for (const { B, T, d, globals, window, masked, dropout } of CASES) {
  const N = globals + T;
  const H = 2;
  const name = `B ${B}, T ${T}, d ${d}, globals ${globals}, window ${window}` +
    (masked ? ", masked" : "") + (dropout ? ", dropout" : "");
  const forms = {
    fusedLongformerAttention,
    naiveLongformerAttention,
    "fusedLongformerAttention (32 threads)": (
      ...[qkv, options]: Parameters<typeof fusedLongformerAttention>
    ) => fusedLongformerAttention(qkv, { ...options, variant: { threads: 32, rows: 1 } }),
  };
  for (const [form, attend] of Object.entries(forms)) {
    gpuTest(`${form}() matches float64 loops: ${name}`, async () => {
      const keyMask = masked ? paddedMask(B, N) : undefined;
      const settings = { p: 0.3, seed: 7, stream: 11 };
      await checkOperation(name, {
        inputs: [{ name: "qkv", shape: [B, N, 3, H, d] }],
        run: (qkv) =>
          attend(qkv, {
            globals,
            window,
            keyMask: keyMask && gpu.tensor(keyMask, [B, N]),
            dropout: dropout ? settings : undefined,
          }),
        reference: (qkv) =>
          referencePattern(
            qkv,
            { B, H, N, d, keyMask, dropout: dropout ? settings : undefined },
            (i, j) => i < globals || j < globals || Math.abs(i - j) <= window,
          ),
      });
    });
  }
}

Deno.test("longformerFlops() counts the visible pairs", () => {
  const [globals, T, window] = [2, 21, 4];
  let pairs = 0;
  for (let i = 0; i < globals + T; i++) {
    for (let j = 0; j < globals + T; j++) {
      pairs += Number(i < globals || j < globals || Math.abs(i - j) <= window);
    }
  }
  assert.equal(longformerFlops({ B: 3, H: 2, T, d: 8, globals, window }).forward, 24 * 8 * pairs);
});

Deno.test("fusedLongformerAttention() says what is wrong with a window", () => {
  assert.throws(
    () => fusedLongformerAttention(undefined!, { globals: 1, window: 0 }),
    { name: "RangeError", message: /window is 0, expected a whole number of at least 1/ },
  );
});
