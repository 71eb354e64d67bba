import assert from "node:assert/strict";
import {
  conv1d,
  type Conv1dOptions,
  convTranspose1d,
  groupMask,
  ShapeError,
  type Tensor,
} from "../../engine/mod.ts";
import { golden, type GoldenTensor } from "../_helpers/golden.ts";
import { assertClose } from "../_helpers/assert_close.ts";
import { checkOperation } from "../_helpers/gradients.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

interface Case {
  readonly label: string;
  readonly B: number;
  readonly C: number;
  readonly L: number;
  readonly O: number;
  readonly K: number;
  readonly options: Conv1dOptions;
}

const CASES: Case[] = [
  { label: "1 x 1", B: 1, C: 1, L: 1, O: 1, K: 1, options: {} },
  { label: "stride 1, padded", B: 2, C: 3, L: 7, O: 5, K: 3, options: { padding: 1 } },
  { label: "a rest that no window reaches", B: 1, C: 3, L: 11, O: 2, K: 3, options: { stride: 3 } },
  { label: "windows with gaps", B: 2, C: 2, L: 9, O: 3, K: 2, options: { stride: 3, padding: 2 } },
  { label: "side by side", B: 2, C: 3, L: 12, O: 5, K: 4, options: { stride: 4 } },
];

/** y[b, o, j] = bias[o] + sum over c, k of w[o, c, k] x[b, c, j stride + k - padding]. */
function reference({ B, C, L, O, K, options }: Case, last: boolean) {
  const { stride = 1, padding = 0 } = options;
  const count = Math.floor((L + 2 * padding - K) / stride) + 1;
  return (x: Float64Array, w: Float64Array, bias: Float64Array) => {
    const y = new Float64Array(B * O * count);
    for (let b = 0; b < B; b++) {
      for (let o = 0; o < O; o++) {
        for (let j = 0; j < count; j++) {
          let sum = bias[o];
          for (let c = 0; c < C; c++) {
            for (let k = 0; k < K; k++) {
              const l = j * stride + k - padding;
              if (l < 0 || l >= L) continue;
              sum += w[(o * C + c) * K + k] * x[last ? (b * L + l) * C + c : (b * C + c) * L + l];
            }
          }
          y[last ? (b * count + j) * O + o : (b * O + o) * count + j] = sum;
        }
      }
    }
    return y;
  };
}

/** y[b, o, l] = bias[o] + sum over c, j, k with j stride + k - padding = l of w[c, o, k] x[b, c, j]. */
function transposedReference({ B, C, L, O, K, options }: Case, last: boolean) {
  const { stride = 1, padding = 0 } = options;
  const length = (L - 1) * stride + K - 2 * padding;
  return (x: Float64Array, w: Float64Array, bias: Float64Array) => {
    const y = new Float64Array(B * O * length);
    for (let b = 0; b < B; b++) {
      for (let o = 0; o < O; o++) {
        const at = (l: number) => last ? (b * length + l) * O + o : (b * O + o) * length + l;
        for (let l = 0; l < length; l++) y[at(l)] = bias[o];
        for (let j = 0; j < L; j++) {
          for (let k = 0; k < K; k++) {
            const l = j * stride + k - padding;
            if (l < 0 || l >= length) continue;
            for (let c = 0; c < C; c++) {
              y[at(l)] += w[(c * O + o) * K + k] *
                x[last ? (b * L + j) * C + c : (b * C + c) * L + j];
            }
          }
        }
      }
    }
    return y;
  };
}

for (const one of CASES) {
  for (const channelsLast of [false, true]) {
    const { B, C, L, O, K } = one;
    const options = { ...one.options, channelsLast };
    const shape = channelsLast ? [B, L, C] : [B, C, L];
    gpuTest(`conv1d() agrees with float64 loops: ${one.label}, last ${channelsLast}`, async () => {
      await checkOperation("conv1d", {
        inputs: [{ name: "x", shape }, { name: "weight", shape: [O, C, K] }, {
          name: "bias",
          shape: [O],
        }],
        run: (x, weight, bias) => conv1d(x, weight, bias, options),
        reference: reference(one, channelsLast),
      });
    });
    gpuTest(
      `convTranspose1d() agrees with float64 loops: ${one.label}, last ${channelsLast}`,
      async () => {
        const fits = { ...one, options: { ...options, padding: 0 } };
        await checkOperation("convTranspose1d", {
          inputs: [{ name: "x", shape }, { name: "weight", shape: [C, O, K] }, {
            name: "bias",
            shape: [O],
          }],
          run: (x, weight, bias) => convTranspose1d(x, weight, bias, fits.options),
          reference: transposedReference(fits, channelsLast),
        });
      },
    );
  }
}

interface GoldenCase {
  readonly inputs: Record<string, GoldenTensor>;
  readonly upstream: GoldenTensor;
  readonly output: GoldenTensor;
  readonly gradients: Record<string, GoldenTensor>;
}

const GOLDEN: Record<string, (x: Tensor, weight: Tensor, bias: Tensor) => Tensor> = {
  conv1d_kernel4_stride4: (x, weight, bias) => conv1d(x, weight, bias, { stride: 4 }),
  conv1d_kernel2_stride2: (x, weight, bias) => conv1d(x, weight, bias, { stride: 2 }),
  conv_transpose1d_kernel4_stride4: (x, weight, bias) =>
    convTranspose1d(x, weight, bias, { stride: 4 }),
};

for (const [name, run] of Object.entries(GOLDEN)) {
  gpuTest(`golden case ${name} agrees with torch in value and gradient`, async () => {
    const { cases } = golden<{ cases: Record<string, GoldenCase> }>("primitives");
    const { inputs, upstream, output, gradients } = cases[name];
    const reads = gpu.scope(() => {
      const tensors = ["x", "weight", "bias"].map((key) => {
        const tensor = gpu.tensor(inputs[key].data, inputs[key].shape);
        tensor.requiresGrad = true;
        return tensor;
      });
      return gpu.withTape((tape) => {
        const y = run(tensors[0], tensors[1], tensors[2]);
        assert.deepEqual(y.shape, output.shape);
        const value = gpu.readLater(y);
        const from = gpu.tensor(upstream.data, upstream.shape);
        return [value, ...tape.backward(y, from, tensors).map((g) => gpu.readLater(g!))];
      });
    });
    gpu.submit();
    const expected = [output, gradients.x, gradients.weight, gradients.bias];
    for (const [i, { data }] of expected.entries()) {
      assertClose(`${name} part ${i}`, await reads[i].value, data, { absolute: 1e-6 });
    }
  });
}

gpuTest("conv1d() refuses shapes and options that do not fit", () => {
  gpu.scope(() => {
    const x = gpu.zeros([2, 3, 8]);
    const weight = gpu.zeros([5, 3, 4]);
    assert.throws(() => conv1d(x, gpu.zeros([5, 2, 4])), ShapeError);
    assert.throws(() => conv1d(gpu.zeros([2, 3, 3]), weight), /fewer than the kernel \(4\)/);
    assert.throws(() => conv1d(x, weight, gpu.zeros([4])), ShapeError);
    assert.throws(() => conv1d(x, weight, undefined, { stride: 0 }), RangeError);
    assert.throws(() => convTranspose1d(x, weight), ShapeError);
    assert.throws(() => conv1d(gpu.zeros([3, 8]), weight), ShapeError);
  });
});

gpuTest("groupMask() keeps a group with one real position", async () => {
  const mask = gpu.tensor(Int32Array.of(0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0), [2, 6]);
  assert.deepEqual([...await gpu.read(groupMask(mask, 3))], [0, 1, 0, 0]);
  assert.deepEqual([...await gpu.read(groupMask(mask, 2))], [0, 1, 1, 0, 0, 0]);
  assert.throws(() => groupMask(mask, 4), /a multiple of 4/);
});
