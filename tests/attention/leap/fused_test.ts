import assert from "node:assert/strict";
import {
  fusedLeapAttention,
  LEAP_CHUNK_CHOICE,
  naiveLeapAttention,
  referenceLeap,
  referenceLeapGradient,
} from "../../../attention/leap/mod.ts";
import { ShapeError } from "../../../engine/mod.ts";
import { assertClose } from "../../_helpers/assert_close.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";
import {
  assertGradientClose,
  label,
  type LeapCase,
  leapInput,
  leapOutput,
  paddingMask,
  runLeap,
  upstreamOf,
  VARIANTS,
} from "./_cases.ts";

/** Output and packed gradient against float64. */
async function compare(c: LeapCase): Promise<void> {
  const input = leapInput(c);
  const upstream = upstreamOf(c);
  const { output, gradient } = await runLeap(input, upstream, fusedLeapAttention);
  assertClose(`${label(c)} output`, output, referenceLeap(input).output, { relative: 2e-6 });
  assertGradientClose(label(c), gradient, referenceLeapGradient(input, upstream), c, 1e-5);
}

const windowsOf = (T: number) =>
  [...new Set([1, 3, 4, 16, 70, 100, T - 1, T, T + 9])].filter((w) => w >= 1);

for (const variant of VARIANTS) {
  for (const [T, d] of [[1, 4], [7, 6], [33, 16], [130, 32], [257, 4], [40, 5]]) {
    gpuTest(
      `fusedLeapAttention() ${variant} T=${T} d=${d} equals float64 for every window`,
      async () => {
        for (const window of windowsOf(T)) await compare({ variant, B: 2, T, H: 3, d, window });
      },
    );
  }

  gpuTest(`fusedLeapAttention() ${variant} gives the same with chunks of any length`, async () => {
    try {
      for (const length of [1, 5, 16, 300]) {
        gpu.choices.set(LEAP_CHUNK_CHOICE, String(length));
        for (const window of [1, 4, 23, 64, 130, 140]) {
          await compare({ variant, B: 2, T: 140, H: 2, d: 4, window });
        }
      }
    } finally {
      gpu.choices.delete(LEAP_CHUNK_CHOICE);
    }
  });

  gpuTest(`fusedLeapAttention() ${variant} leaves padding out`, async () => {
    for (const window of [1, 4, 40]) {
      const c = { variant, B: 2, T: 33, H: 2, d: 8, window, keyMask: paddingMask(2, 33) };
      await compare(c);
      // A window of padding only has nothing to average.
      const output = await leapOutput(leapInput(c), fusedLeapAttention);
      const row = c.H * c.d;
      assert.ok(output.slice(c.T * row, (c.T + 9) * row).every((x) => x === 0));
    }
  });

  gpuTest(`fusedLeapAttention() ${variant} drops what the reference drops`, async () => {
    for (const d of [4, 6, 5]) {
      for (const window of [4, 50]) {
        const dropout = { p: 0.3, seed: 7, stream: 11 };
        await compare({ variant, B: 2, T: 50, H: 2, d, window, dropout });
      }
    }
  });

  gpuTest(`fusedLeapAttention() ${variant} gives the same bits twice`, async () => {
    const input = leapInput({ variant, B: 2, T: 257, H: 2, d: 16, window: 70 });
    const upstream = upstreamOf(input);
    const first = await runLeap(input, upstream, fusedLeapAttention);
    const second = await runLeap(input, upstream, fusedLeapAttention);
    assert.deepEqual(second, first);
  });

  gpuTest(`fusedLeapAttention() ${variant} does not see the future`, async () => {
    for (const window of [1, 4, 70, 300]) {
      const input = leapInput({ variant, B: 1, T: 200, H: 2, d: 8, window });
      const row = input.H * input.d;
      const before = await leapOutput(input, fusedLeapAttention);
      for (const token of [1, 64, 131]) {
        // Not the same for all channels: the norm would take that out.
        const packed = input.packed.map((x, i) =>
          Math.floor(i / (4 * row)) === token ? x + i % 3 : x
        );
        const after = await leapOutput({ ...input, packed }, fusedLeapAttention);
        assert.deepEqual(after.slice(0, token * row), before.slice(0, token * row));
        assert.notDeepEqual(
          after.slice(token * row, (token + 1) * row),
          before.slice(token * row, (token + 1) * row),
        );
        const beyond = (token + window) * row;
        assertClose("outputs after the window", after.slice(beyond), before.slice(beyond), {
          relative: 1e-6,
        });
      }
    }
  });

  gpuTest(`fusedLeapAttention() ${variant} frees all it saved`, async () => {
    const input = leapInput({ variant, B: 1, T: 100, H: 2, d: 8, window: 80 });
    await runLeap(input, upstreamOf(input), fusedLeapAttention);
    await gpu.idle();
    const live = gpu.memory.liveBytes;
    await runLeap(input, upstreamOf(input), fusedLeapAttention);
    await leapOutput(input, fusedLeapAttention);
    assert.equal(gpu.memory.liveBytes, live);
  });
}

gpuTest("fusedLeapAttention() 2022-08 stays exact at the largest logits", async () => {
  const c = { variant: "2022-08", B: 1, T: 80, H: 2, d: 8, window: 16, rescale: 80 } as const;
  const input = leapInput(c);
  const row = c.H * c.d;
  // Equal focus vectors give the largest logit, opposite ones the smallest; heads scaled by 1e4 change nothing after the norm.
  for (let t = 0; t < c.T; t++) {
    const sign = t % 40 < 20 ? 1 : -1;
    for (let i = 0; i < row; i++) {
      const f1 = t * 4 * row + row + i;
      input.packed[f1] *= 1e4;
      input.packed[f1 + row] = sign * input.packed[f1];
    }
  }
  const upstream = upstreamOf(c);
  const expected = referenceLeap(input);
  assert.ok(Math.max(...expected.e) > 1e30 && Math.min(...expected.e) < 1e-30);
  const { output, gradient } = await runLeap(input, upstream, fusedLeapAttention);
  // exp multiplies the rounding error of a logit of 70 by 70.
  assertClose("output", output, expected.output, { relative: 1e-4 });
  assert.ok(gradient.every(Number.isFinite));
});

/** A case of `1.0.1` whose logits have no norm to bound them. */
const unnormed = { variant: "1.0.1", rescale: null, B: 2, H: 2, d: 6 } as const;

gpuTest("fusedLeapAttention() 1.0.1 without rescale equals float64", async () => {
  const keyMask = paddingMask(2, 40);
  const dropout = { p: 0.3, seed: 7, stream: 11 };
  for (const window of [1, 4, 23, 40]) {
    for (const extra of [{}, { keyMask }, { dropout }]) {
      await compare({ ...unnormed, T: 40, window, ...extra });
    }
  }
});

gpuTest("LEAP 1.0.1 without rescale caps the weight of an extreme logit", async () => {
  const c = { ...unnormed, T: 40, window: 16 };
  const input = leapInput(c);
  const row = c.H * c.d;
  for (let i = 0; i < input.packed.length; i++) {
    const slot = Math.floor(i / row) % 4;
    if (slot === 1 || slot === 2) input.packed[i] *= 100;
  }
  const expected = referenceLeap(input);
  const capped = expected.e.filter((e) => e === 2.5e30).length;
  assert.ok(capped > 20 && capped < expected.e.length - 20, `${capped} capped`);
  const upstream = upstreamOf(c);
  for (const attention of [fusedLeapAttention, naiveLeapAttention]) {
    const { output, gradient } = await runLeap(input, upstream, attention);
    assertClose(attention.name, output, expected.output, { relative: 1e-4 });
    // Finite is not enough: a capped logit has no gradient, the others still do.
    const reference = referenceLeapGradient(input, upstream);
    assertClose(`${attention.name} gradient`, gradient, reference, { relative: 1e-3 });
  }
});

gpuTest("fusedLeapAttention() 1.0 stays exact at logits of thousands", async () => {
  const c = { variant: "1.0", B: 1, T: 40, H: 2, d: 8, window: 16 } as const;
  const input = leapInput(c);
  const row = c.H * c.d;
  for (let i = 0; i < input.packed.length; i++) {
    const slot = Math.floor(i / row) % 4;
    if (slot === 1 || slot === 2) input.packed[i] *= 100;
  }
  const upstream = upstreamOf(c);
  const { output, gradient } = await runLeap(input, upstream, fusedLeapAttention);
  assertClose("output", output, referenceLeap(input).output, { relative: 1e-5 });
  assertClose("gradient", gradient, referenceLeapGradient(input, upstream), { relative: 1e-4 });
});

gpuTest("fusedLeapAttention() rejects what it cannot do", () => {
  gpu.scope(() => {
    const packed = gpu.zeros([2, 5, 4, 2, 4]);
    const run = (options: object, x = packed) => () =>
      fusedLeapAttention(x, { variant: "2022-08", window: 4, ...options });
    assert.throws(run({ window: 0 }), /window is 0, expected an integer of at least 1/);
    assert.throws(run({ window: 2.5 }), RangeError);
    assert.throws(
      run({ rescale: 200 }),
      /rescale is 200, so that logits reach 150, expected at most/,
    );
    const dropout = { p: 0.5, seed: 0, stream: 0 };
    assert.throws(run({ rescale: 80, dropout }), /logits reach 120/);
    assert.throws(run({ dropout: { p: 1, seed: 0, stream: 0 } }), /dropout p is 1/);
    // 1.0.1 drops the focus vector and the logit.
    assert.throws(run({ variant: "1.0.1", rescale: 40, dropout }), /logits reach 120/);
    assert.throws(
      run({ rescale: null }),
      /rescale is null, expected a number in variant "2022-08"/,
    );
    assert.throws(run({ variant: "1.0", rescale: 8 }), /rescale is 8, expected none/);
    assert.throws(run({ variant: "2.0" }), /variant is "2.0"/);
    assert.throws(run({ keyMask: gpu.zeros([5, 2]) }), /keyMask is \[5, 2\], expected \[2, 5\]/);
    assert.throws(run({}, gpu.zeros([2, 5, 3, 2, 4])), ShapeError);
    assert.throws(run({}, gpu.zeros([2, 5, 4, 2, 1])), /head width is 1/);
  });
});
