import assert from "node:assert/strict";
import {
  type AttentionVariant,
  fusedAttention,
  variantName,
} from "../../../attention/softmax/mod.ts";
import { type Tensor } from "../../../engine/mod.ts";
import { assertClose } from "../../_helpers/assert_close.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";
import { randomArray } from "../../_helpers/gradients.ts";
import { referenceAttention, type ReferenceOptions } from "./reference.ts";

const STAGED: AttentionVariant = { family: "staged", rows: 32 };

interface Case {
  readonly B?: number;
  readonly H?: number;
  readonly Tq: number;
  readonly Tk?: number;
  readonly d: number;
  readonly causal?: boolean;
  readonly masked?: boolean;
  readonly dropout?: boolean;
  readonly scale?: number;
}

const CASES: Case[] = [
  { Tq: 1, d: 4, causal: true },
  { Tq: 7, d: 6, causal: true },
  { Tq: 7, d: 3 },
  { B: 2, H: 3, Tq: 33, d: 32, causal: true },
  { B: 2, H: 2, Tq: 33, d: 32, masked: true },
  { B: 2, H: 2, Tq: 130, d: 4, causal: true, masked: true },
  { H: 2, Tq: 130, d: 64, causal: true },
  { H: 2, Tq: 130, d: 32 },
  { B: 2, H: 2, Tq: 33, d: 32, causal: true, dropout: true },
  { B: 2, H: 2, Tq: 33, d: 6, causal: true, masked: true, dropout: true },
  { H: 2, Tq: 7, Tk: 33, d: 32 },
  { H: 2, Tq: 7, Tk: 33, d: 32, causal: true },
  { B: 2, H: 2, Tq: 33, Tk: 7, d: 32, causal: true, dropout: true },
  { H: 2, Tq: 1, Tk: 130, d: 64, causal: true },
  { H: 2, Tq: 33, d: 20, causal: true, scale: 3 },
  { H: 1, Tq: 33, d: 80, causal: true },
  { H: 1, Tq: 9, d: 128, causal: true },
];

/** Batch 0 ends in padding; the last batch entry, if another, is all padding so that its rows see no key. */
function padding(B: number, Tk: number): Int32Array {
  const mask = new Int32Array(B * Tk).fill(1);
  mask.fill(0, Math.ceil(Tk * 0.7), Tk);
  if (B > 1) mask.fill(0, (B - 1) * Tk);
  return mask;
}

function describe({ B = 1, H = 1, Tq, Tk = Tq, d, causal, masked, dropout }: Case): string {
  return `B${B} H${H} Tq${Tq} Tk${Tk} d${d}` +
    (causal ? " causal" : "") + (masked ? " masked" : "") + (dropout ? " dropout" : "");
}

function problemOf(testCase: Case) {
  const { B = 1, H = 1, Tq, Tk = Tq, d, causal = false, masked, scale } = testCase;
  const keyMask = masked ? padding(B, Tk) : undefined;
  const dropout = testCase.dropout ? { p: 0.3, seed: 7, stream: 11 } : undefined;
  const q = randomArray(B * Tq * H * d, 1);
  const k = randomArray(B * Tk * H * d, 2);
  const v = randomArray(B * Tk * H * d, 3);
  const dO = randomArray(B * Tq * H * d, 4);
  const options: ReferenceOptions = { B, H, Tq, Tk, d, causal, keyMask, dropout, scale };
  return { B, H, Tq, Tk, d, q, k, v, dO, options };
}

/** [B, T, 3, H, d] from three [B, T, H, d]. */
function pack(parts: ArrayLike<number>[], width: number): Float32Array {
  const packed = new Float32Array(parts[0].length * 3);
  parts.forEach((part, n) => {
    for (let i = 0; i < part.length; i++) {
      packed[(Math.floor(i / width) * 3 + n) * width + i % width] = part[i];
    }
  });
  return packed;
}

/** Output and gradients of `inputs` as host arrays. */
async function outputAndGradients(
  inputs: Tensor[],
  run: () => Tensor,
  dO: Float32Array,
): Promise<Float32Array[]> {
  const later = gpu.scope(() =>
    gpu.withTape((tape) => {
      const y = run();
      const output = gpu.readLater(y);
      const gradients = tape.backward(y, gpu.tensor(dO, y.shape), inputs);
      return [output, ...gradients.map((g) => gpu.readLater(g!))];
    })
  );
  gpu.submit();
  return await Promise.all(later.map((x) => x.value)) as Float32Array[];
}

function differentiable(data: Float32Array, shape: number[]): Tensor {
  const tensor = gpu.tensor(data, shape);
  tensor.requiresGrad = true;
  return tensor;
}

for (const testCase of CASES) {
  // Wide heads compile for seconds, so one variant has to do.
  for (const variant of testCase.d > 100 ? [undefined] : [undefined, STAGED]) {
    const label = `${describe(testCase)} ${variant ? variantName(variant) : "default variant"}`;
    gpuTest(`fusedAttention() matches float64 loops: ${label}`, async () => {
      const { B, H, Tq, Tk, d, q, k, v, dO, options } = problemOf(testCase);
      const expected = referenceAttention(q, k, v, dO, options);
      const keyMask = options.keyMask && gpu.tensor(options.keyMask as Int32Array, [B, Tk]);
      const { causal, dropout, scale } = options;
      const settings = { causal, dropout, scale, keyMask, variant };
      const separate = [
        differentiable(q, [B, Tq, H, d]),
        differentiable(k, [B, Tk, H, d]),
        differentiable(v, [B, Tk, H, d]),
      ];
      const [tq, tk, tv] = separate;
      const [o, dq, dk, dv] = await outputAndGradients(
        separate,
        () => fusedAttention({ q: tq, k: tk, v: tv }, settings),
        dO,
      );
      // A gradient that is 0 throughout (a single key) is left with rounding errors only.
      const tolerance = { relative: 1e-5, absolute: 2e-6 };
      assertClose("output", o, expected.o, tolerance);
      assertClose("gradient of q", dq, expected.dq, tolerance);
      assertClose("gradient of k", dk, expected.dk, tolerance);
      assertClose("gradient of v", dv, expected.dv, tolerance);
      if (Tq !== Tk) return;
      const packed = differentiable(pack([q, k, v], H * d), [B, Tq, 3 * H * d]);
      const [packedO, packedGradient] = await outputAndGradients(
        [packed],
        () => fusedAttention(packed, { ...settings, heads: H }),
        dO,
      );
      assert.deepEqual(packedO, o, "packed and separate inputs give the same output bits");
      assert.deepEqual(packedGradient, pack([dq, dk, dv], H * d), "and the same gradient bits");
    });
  }
}

gpuTest("fusedAttention() variants of other row counts agree with float64 loops", async () => {
  const { B, H, Tq, Tk, d, q, k, v, dO, options } = problemOf({
    H: 2,
    Tq: 130,
    d: 32,
    causal: true,
  });
  const expected = referenceAttention(q, k, v, dO, options);
  const packed = differentiable(pack([q, k, v], H * d), [B, Tq, 3, H, d]);
  assert.equal(Tq, Tk);
  for (
    const variant of [
      { family: "staged", rows: 64 },
      { family: "direct", rows: 1 },
      { family: "direct", rows: 2 },
    ] as const
  ) {
    const [o, gradient] = await outputAndGradients(
      [packed],
      () => fusedAttention(packed, { causal: true, variant }),
      dO,
    );
    assertClose(`${variantName(variant)} output`, o, expected.o);
    const all = pack([expected.dq, expected.dk, expected.dv], H * d);
    assertClose(`${variantName(variant)} gradient`, gradient, all);
  }
});

gpuTest("fusedAttention() gives large scores their exact softmax", async () => {
  const { H, Tq, d, q, k, v, dO, options } = problemOf({ H: 1, Tq: 33, d: 32, scale: 40 });
  const expected = referenceAttention(q, k, v, dO, options);
  for (const variant of [undefined, STAGED]) {
    const { o } = gpu.scope(() => {
      const input = gpu.tensor(pack([q, k, v], H * d), [1, Tq, 3, H, d]);
      return { o: gpu.readLater(fusedAttention(input, { scale: 40, variant })) };
    });
    gpu.submit();
    assertClose("output", await o.value as Float32Array, expected.o, { relative: 2e-4 });
  }
});

gpuTest("fusedAttention() gives 0 and no gradient where no key may be seen", async () => {
  const { B, H, Tq, Tk, d, q, k, v, dO } = problemOf({ B: 2, H: 2, Tq: 9, d: 8, masked: true });
  const keyMask = gpu.tensor(padding(B, Tk), [B, Tk]);
  const input = differentiable(pack([q, k, v], H * d), [B, Tq, 3, H, d]);
  for (const variant of [undefined, STAGED]) {
    const [o, gradient] = await outputAndGradients(
      [input],
      () => fusedAttention(input, { keyMask, variant }),
      dO,
    );
    assert.ok(o.subarray(o.length / 2).every((x) => x === 0));
    assert.ok(gradient.subarray(gradient.length / 2).every((x) => x === 0));
    assert.ok(o.subarray(0, o.length / 2).every((x) => x !== 0));
  }
});

gpuTest("fusedAttention() computes only the gradients asked for", async () => {
  const { B, H, Tq, d, q, k, v, dO, options } = problemOf({ H: 2, Tq: 9, d: 8 });
  const expected = referenceAttention(q, k, v, dO, options);
  const shape = [B, Tq, H, d];
  const [tq, tk, tv] = [gpu.tensor(q, shape), gpu.tensor(k, shape), differentiable(v, shape)];
  const [, dv] = await outputAndGradients(
    [tv],
    () => fusedAttention({ q: tq, k: tk, v: tv }),
    dO,
  );
  assertClose("gradient of v", dv, expected.dv);
  tq.requiresGrad = true;
  tv.requiresGrad = false;
  const [, dq] = await outputAndGradients(
    [tq],
    () => fusedAttention({ q: tq, k: tk, v: tv }),
    dO,
  );
  assertClose("gradient of q", dq, expected.dq);
});

gpuTest("fusedAttention() gives the same bits in every run", async () => {
  const { B, H, Tq, d, q, k, v, dO } = problemOf({ B: 2, H: 2, Tq: 130, d: 32 });
  const input = differentiable(pack([q, k, v], H * d), [B, Tq, 3, H, d]);
  const dropout = { p: 0.1, seed: 3, stream: 4 };
  for (const variant of [undefined, STAGED]) {
    const run = () =>
      outputAndGradients([input], () => fusedAttention(input, { dropout, variant }), dO);
    assert.deepEqual(await run(), await run());
  }
});

gpuTest("fusedAttention() rejects shapes and options that do not fit", () => {
  gpu.scope(() => {
    const packed = gpu.zeros([1, 4, 24]);
    assert.throws(() => fusedAttention(packed, { heads: 3 }), RangeError);
    assert.throws(() => fusedAttention(packed), /pass \{ heads \}/);
    assert.throws(
      () => fusedAttention(packed, { heads: 2, keyMask: gpu.zeros([1, 4]) }),
      /keyMask is f32/,
    );
    assert.throws(
      () => fusedAttention(packed, { heads: 2, dropout: { p: 1, seed: 0, stream: 0 } }),
      /p is 1/,
    );
    const q = gpu.zeros([1, 4, 2, 4]);
    assert.throws(
      () => fusedAttention({ q, k: gpu.zeros([1, 4, 2, 8]), v: q }),
      /k \[1, 4, 2, 8\]/,
    );
  });
});
