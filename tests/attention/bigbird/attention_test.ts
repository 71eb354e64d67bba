import assert from "node:assert/strict";
import {
  bigBirdFlops,
  fusedBigBirdAttention,
  naiveBigBirdAttention,
  randomBlocks,
} from "../../../attention/bigbird/mod.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";
import { checkOperation } from "../../_helpers/gradients.ts";
import { paddedMask, referencePattern } from "../block_sparse/_reference.ts";

const H = 2;

/** The rule of the pattern on positions of the sequence. */
function rule(globals: number, blockSize: number, count: number, seed: number, T: number) {
  const pattern = { globals, blockSize, randomBlocks: count, seed };
  const chosen = randomBlocks(pattern, H, Math.ceil(T / blockSize));
  const block = (position: number) => Math.floor((position - globals) / blockSize);
  return (i: number, j: number, head: number) =>
    i < globals || j < globals || Math.abs(block(i) - block(j)) <= 1 ||
    chosen[head][block(i)].includes(block(j));
}

const CASES = [
  { B: 1, T: 1, d: 4, globals: 1, blockSize: 4, count: 2, seed: 0 },
  { B: 1, T: 27, d: 4, globals: 1, blockSize: 4, count: 2, seed: 0 },
  { B: 2, T: 29, d: 4, globals: 3, blockSize: 3, count: 3, seed: 5, masked: true },
  { B: 1, T: 27, d: 4, globals: 1, blockSize: 4, count: 0, seed: 0 },
  { B: 1, T: 14, d: 4, globals: 1, blockSize: 4, count: 9, seed: 1 },
  { B: 1, T: 90, d: 4, globals: 2, blockSize: 20, count: 1, seed: 2, masked: true },
  { B: 1, T: 27, d: 3, globals: 1, blockSize: 4, count: 2, seed: 3 },
  { B: 2, T: 27, d: 4, globals: 2, blockSize: 4, count: 2, seed: 4, masked: true, dropout: true },
  { B: 1, T: 10, d: 4, globals: 1, blockSize: 3_000_000, count: 1, seed: 0 },
];

for (const { B, T, d, globals, blockSize, count, seed, masked, dropout } of CASES) {
  const N = globals + T;
  const name = `B ${B}, T ${T}, d ${d}, globals ${globals}, blockSize ${blockSize}, ` +
    `${count} random` + (masked ? ", masked" : "") + (dropout ? ", dropout" : "");
  const forms = {
    fusedBigBirdAttention,
    naiveBigBirdAttention,
    "fusedBigBirdAttention (32 threads)": (
      ...[qkv, options]: Parameters<typeof fusedBigBirdAttention>
    ) => fusedBigBirdAttention(qkv, { ...options, variant: { threads: 32, rows: 1 } }),
    "fusedBigBirdAttention (4 rows)": (
      ...[qkv, options]: Parameters<typeof fusedBigBirdAttention>
    ) => fusedBigBirdAttention(qkv, { ...options, variant: { threads: 8, rows: 4 } }),
  };
  for (const [form, attend] of Object.entries(forms)) {
    gpuTest(`${form}() matches float64 loops: ${name}`, async () => {
      const keyMask = masked ? paddedMask(B, N) : undefined;
      const settings = dropout ? { p: 0.3, seed: 7, stream: 11 } : undefined;
      await checkOperation(name, {
        inputs: [{ name: "qkv", shape: [B, N, 3, H, d] }],
        run: (qkv) =>
          attend(qkv, {
            ...{ globals, blockSize, randomBlocks: count, seed },
            keyMask: keyMask && gpu.tensor(keyMask, [B, N]),
            dropout: settings,
          }),
        reference: (qkv) =>
          referencePattern(
            qkv,
            { B, H, N, d, keyMask, dropout: settings },
            rule(globals, blockSize, count, seed, T),
          ),
      });
    });
  }
}

Deno.test("randomBlocks() draws distinct blocks outside the window, by seed and head", () => {
  const pattern = { globals: 1, blockSize: 4, randomBlocks: 3, seed: 1 };
  const chosen = randomBlocks(pattern, 2, 12);
  chosen.flat().forEach((others, n) => {
    assert.equal(new Set(others).size, 3);
    assert.ok(others.every((other) => other >= 0 && other < 12 && Math.abs(other - n % 12) > 1));
  });
  assert.notDeepEqual(chosen[0], chosen[1]);
  assert.notDeepEqual(chosen, randomBlocks({ ...pattern, seed: 2 }, 2, 12));
  assert.deepEqual(chosen, randomBlocks(pattern, 2, 12));
});

Deno.test("bigBirdFlops() counts the visible pairs", () => {
  const [globals, T, blockSize] = [2, 29, 4];
  const sees = rule(globals, blockSize, 2, 3, T);
  let pairs = 0;
  for (let h = 0; h < H; h++) {
    for (let i = 0; i < globals + T; i++) {
      for (let j = 0; j < globals + T; j++) pairs += Number(sees(i, j, h));
    }
  }
  const sizes = { B: 3, H, T, d: 8, globals, blockSize, randomBlocks: 2, seed: 3 };
  assert.equal(bigBirdFlops(sizes).forward, 3 * 4 * 8 * pairs);
});
