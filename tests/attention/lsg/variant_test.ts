import assert from "node:assert/strict";
import {
  checkLsgLength,
  checkLsgPattern,
  fusedLsgAttention,
  type LsgPattern,
  naiveLsgAttention,
} from "../../../attention/lsg/mod.ts";
import type { Tensor } from "../../../engine/mod.ts";
import { assertClose } from "../../_helpers/assert_close.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";
import { randomArray } from "../../_helpers/gradients.ts";
import { describe, inputOf, type LsgCase, patternOf } from "./_cases.ts";

/** Output and gradient of one form. */
async function outputAndGradient(
  testCase: LsgCase,
  attend: (qkv: Tensor) => Tensor,
): Promise<Float32Array[]> {
  const { B, N, H, d } = inputOf(testCase);
  const later = gpu.scope(() =>
    gpu.withTape((tape) => {
      const qkv = gpu.tensor(randomArray(B * N * 3 * H * d, 1), [B, N, 3, H, d]);
      qkv.requiresGrad = true;
      const y = attend(qkv);
      const output = gpu.readLater(y);
      const upstream = gpu.tensor(randomArray(y.size, 2), y.shape);
      const [gradient] = tape.backward(y, upstream, [qkv]);
      return [output, gpu.readLater(gradient!)];
    })
  );
  gpu.submit();
  return await Promise.all(later.map((x) => x.value)) as Float32Array[];
}

async function checkAgainstNaive(
  testCase: LsgCase,
  variant: { threads: number; rows: number } | undefined,
): Promise<void> {
  const { B, N, keyMask, dropout } = inputOf(testCase);
  const options = {
    ...patternOf(testCase),
    keyMask: keyMask && gpu.tensor(keyMask, [B, N]),
    dropout,
  };
  const fused = await outputAndGradient(
    testCase,
    (qkv) => fusedLsgAttention(qkv, { ...options, variant }),
  );
  const naive = await outputAndGradient(testCase, (qkv) => naiveLsgAttention(qkv, options));
  assertClose("output", fused[0], naive[0], { relative: 1e-5 });
  assertClose("gradient", fused[1], naive[1], { relative: 1e-4 });
}

/** Sizes of real use: several tiles a block, several parts of the global reduction, heads of common widths. */
const LARGE: LsgCase[] = [
  { T: 300, d: 32, blockSize: 64, sparseBlockSize: 64, sparsityType: "norm", masked: true },
  { T: 300, d: 64, blockSize: 32, sparseBlockSize: 32, sparsityFactor: 4, sparsityType: "lsh" },
  { T: 257, d: 16, blockSize: 32, sparseBlockSize: 64, globals: 9, sparsityType: "bos_pooling" },
  { T: 300, d: 32, blockSize: 20, sparseBlockSize: 40, sparsityType: "pooling", dropout: true },
  { T: 260, d: 32, blockSize: 64, sparseBlockSize: 0, sparsityType: "none", causal: true },
];

for (const testCase of LARGE) {
  for (const variant of [undefined, { threads: 32, rows: 1 }]) {
    const name = variant ? "32 threads" : "default";
    gpuTest(
      `fusedLsgAttention() matches the naive form, ${name}: ${describe(testCase)}`,
      () => checkAgainstNaive(testCase, variant),
    );
  }
}

gpuTest(
  "fusedLsgAttention() passes the reference's gradient with parity.bosPoolingMaskBug",
  () =>
    checkAgainstNaive(
      { T: 24, sparsityType: "bos_pooling", masked: true, parity: { bosPoolingMaskBug: true } },
      undefined,
    ),
);

gpuTest("fusedLsgAttention() gives the same bits twice", async () => {
  const testCase: LsgCase = { T: 60, d: 16, sparsityType: "bos_pooling", masked: true };
  const { B, N, keyMask } = inputOf(testCase);
  const attend = (qkv: Tensor) =>
    fusedLsgAttention(qkv, { ...patternOf(testCase), keyMask: gpu.tensor(keyMask!, [B, N]) });
  const [first, second] = [
    await outputAndGradient(testCase, attend),
    await outputAndGradient(testCase, attend),
  ];
  assert.deepEqual(first, second);
});

gpuTest(
  "fusedLsgAttention() leaves its output and gradient, and nothing else, outside a scope",
  async () => {
    const attendOnce = (testCase: LsgCase): void => {
      const { B, N, H, d } = inputOf(testCase);
      const qkv = gpu.tensor(randomArray(B * N * 3 * H * d, 1), [B, N, 3, H, d]);
      qkv.requiresGrad = true;
      gpu.withTape((tape) => {
        const y = fusedLsgAttention(qkv, patternOf(testCase));
        const upstream = gpu.full(y.shape, 1);
        const [gradient] = tape.backward(y, upstream, [qkv]);
        [y, upstream, gradient!, qkv].forEach((t) => t.dispose());
      });
      const unrecorded = gpu.full([B, N, 3, H, d], 1);
      const y = fusedLsgAttention(unrecorded, patternOf(testCase));
      [y, unrecorded].forEach((t) => t.dispose());
    };
    for (
      const sparsityType of ["none", "norm", "stride", "pooling", "lsh", "bos_pooling"] as const
    ) {
      const testCase: LsgCase = { T: 60, d: 16, sparsityType };
      attendOnce(testCase); // constants such as the directions of lsh stay
      const before = gpu.memory.liveBytes;
      attendOnce(testCase);
      assert.equal(gpu.memory.liveBytes, before, sparsityType);
    }
    await gpu.idle();
  },
);

gpuTest("fusedLsgAttention() keeps the workspace of many globals small", async () => {
  const peak = async (globals: number) => {
    const testCase: LsgCase = { T: 300, d: 16, globals, sparsityType: "none", blockSize: 16 };
    const before = gpu.memory.liveBytes;
    gpu.memory.resetPeak();
    await outputAndGradient(testCase, (qkv) => fusedLsgAttention(qkv, patternOf(testCase)));
    return (gpu.memory.peakBytes - before) / (300 + globals);
  };
  const [few, many] = [await peak(1), await peak(300)];
  assert.ok(many < 2 * few, `bytes per position grew from ${few} to ${many}`);
});

gpuTest("fusedLsgAttention() needs memory linear in the text", async () => {
  const peak = async (T: number) => {
    const testCase: LsgCase = { T, d: 16, blockSize: 16, sparseBlockSize: 16 };
    gpu.memory.resetPeak();
    const before = gpu.memory.liveBytes;
    await outputAndGradient(testCase, (qkv) => fusedLsgAttention(qkv, patternOf(testCase)));
    return gpu.memory.peakBytes - before;
  };
  await peak(512);
  const [short, long] = [await peak(512), await peak(2048)];
  assert.ok(long < 4.1 * short, `peak grew from ${short} to ${long} bytes`);
});

Deno.test("checkLsgPattern() and checkLsgLength() say which rule a pattern breaks", () => {
  const pattern: LsgPattern = {
    ...{ globals: 1, blockSize: 8, sparseBlockSize: 8, sparsityFactor: 2 },
    sparsityType: "norm",
  };
  const cases: [Partial<LsgPattern>, RegExp][] = [
    [{ globals: 0 }, /globals is 0, expected a whole number of at least 1 and at most 512/],
    [{ globals: 513 }, /globals is 513/],
    [{ blockSize: 2.5 }, /blockSize is 2.5/],
    [{ sparsityFactor: 3 }, /sparsityFactor is 3, expected a divisor of blockSize 8/],
    [{ sparseBlockSize: 6 }, /sparseBlockSize is 6, expected for norm a divisor of blockSize 8/],
    [{ sparseBlockSize: 4, sparsityFactor: 8 }, /sparseBlockSize is 4/],
    [{ sparsityType: "lsh", sparseBlockSize: 16, sparsityFactor: 8 }, /at most half of 8/],
    [{ sparsityType: "bos" as "norm" }, /sparsityType is bos, expected one of none, norm/],
    [{ parity: { oddRightOffset: true } }, /oddRightOffset is set with 4 sparse keys per block/],
    [{ lshPreRounds: -1 }, /lshPreRounds is -1/],
    [{ lshSeed: 1.5 }, /lshSeed is 1.5/],
  ];
  for (const [change, message] of cases) {
    assert.throws(() => checkLsgPattern({ ...pattern, ...change }), {
      name: "RangeError",
      message,
    });
  }
  assert.throws(
    () => checkLsgLength({ ...pattern, adaptive: false }, 20),
    /the text has 20 tokens/,
  );
  checkLsgLength({ ...pattern, adaptive: false }, 15);
  checkLsgLength({ ...pattern, parity: { bosPoolingMaskBug: true } }, 20);
});

gpuTest("every form refuses an input that is all globals, and directions of another size", () => {
  gpu.scope(() => {
    const qkv = gpu.full([1, 2, 3, 1, 4], 1);
    const pattern = patternOf({ T: 2, globals: 5, maskFirstToken: true });
    for (const attend of [fusedLsgAttention, naiveLsgAttention]) {
      assert.throws(() => attend(qkv, pattern), {
        name: "ShapeError",
        message: /has 2 positions, expected more than the 5 globals/,
      });
    }
    const long = gpu.full([1, 25, 3, 2, 4], 1);
    const directions = {
      ...patternOf({ T: 24, sparsityType: "lsh" }),
      lshPlanes: [new Float32Array(3)],
    };
    for (const attend of [fusedLsgAttention, naiveLsgAttention]) {
      assert.throws(() => attend(long, directions), {
        name: "RangeError",
        message: /lshPlanes\[0\] has 3 numbers, expected 16 for 2 heads, 2 directions and width 4/,
      });
    }
  });
});
