import assert from "node:assert/strict";
import { kernelSource } from "../../engine/kernel.ts";
import { matmulProblem, matmulTunable } from "../../engine/ops/gemm.ts";
import type { MatmulEpilogue, MatmulProblem } from "../../engine/kernels/matmul.ts";
import { matmul, sizeOf } from "../../engine/mod.ts";
import { assertClose } from "../_helpers/assert_close.ts";
import { randomArray } from "../_helpers/gradients.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

type Size = [M: number, K: number, N: number, batch?: number];

/** Sizes no block divides, sizes of one, vec4 rows and not, and one that needs several blocks and steps both ways. */
const SIZES: Size[] = [
  [1, 1, 1],
  [2, 36, 20],
  [3, 17, 5],
  [37, 33, 71],
  [72, 20, 68],
  [5, 8, 4, 3],
  [6, 7, 9, 2],
];
const LARGE: Size = [132, 52, 140];

const EPILOGUES: Record<string, MatmulEpilogue> = {
  accumulate: { accumulate: true },
  "bias and activation": { bias: true, preActivation: true, activation: "silu" },
  everything: { bias: true, preActivation: true, activation: "relu", residual: true },
};

/** The product and its epilogue in float64. */
function expectedOf(p: MatmulProblem, x: Record<string, Float32Array>) {
  const c = new Float64Array(p.batch * p.M * p.N);
  const pre = new Float64Array(c.length);
  const { accumulate, bias, activation, residual } = p.epilogue;
  for (let z = 0; z < p.batch; z++) {
    for (let i = 0; i < p.M; i++) {
      for (let j = 0; j < p.N; j++) {
        let sum = 0;
        for (let k = 0; k < p.K; k++) {
          sum += x.a[z * p.strideA + (p.transposeA ? k * p.M + i : i * p.K + k)] *
            x.b[z * p.strideB + (p.transposeB ? j * p.K + k : k * p.N + j)];
        }
        const at = (z * p.M + i) * p.N + j;
        let value = p.alpha * sum + (accumulate ? x.c[at] : 0) + (bias ? x.bias[j] : 0);
        pre[at] = value;
        if (activation === "silu") value /= 1 + Math.exp(-value);
        if (activation === "relu") value = Math.max(value, 0);
        c[at] = value + (residual ? x.residual[at] : 0);
      }
    }
  }
  return { c, pre };
}

async function check(
  variant: string,
  [M, K, N, batch = 1]: Size,
  transposeA: boolean,
  transposeB: boolean,
  epilogue: MatmulEpilogue = {},
  alpha = 1,
) {
  const problem: MatmulProblem = {
    M,
    N,
    K,
    batch,
    transposeA,
    transposeB,
    strideA: M * K,
    strideB: batch === 2 ? 0 : K * N,
    alpha,
    epilogue,
  };
  const host = {
    a: randomArray(batch * M * K, 1),
    b: randomArray(batch * K * N, 2),
    bias: randomArray(N, 3),
    residual: randomArray(batch * M * N, 4),
    c: randomArray(batch * M * N, 5),
  };
  const expected = expectedOf(problem, host);
  const shape = [batch, M, N];
  const { c, pre } = gpu.scope(() => {
    const c = epilogue.accumulate ? gpu.tensor(host.c, shape) : gpu.empty(shape);
    const pre = epilogue.preActivation ? gpu.empty(shape) : undefined;
    const tensors = [
      gpu.tensor(host.a, [host.a.length]),
      gpu.tensor(host.b, [host.b.length]),
      epilogue.bias ? gpu.tensor(host.bias, [N]) : undefined,
      epilogue.residual ? gpu.tensor(host.residual, shape) : undefined,
      pre,
      c,
    ].filter((t) => t !== undefined);
    const candidate = matmulTunable.candidates.find(({ name }) => name === variant)!;
    gpu.run(candidate.kernel(problem), tensors);
    return { c: gpu.readLater(c), pre: pre && gpu.readLater(pre) };
  });
  gpu.submit();
  const label = `${variant} ${[M, K, N, batch]} ${transposeA ? "A^T" : "A"} ${
    transposeB ? "B^T" : "B"
  } ${JSON.stringify(epilogue)}`;
  if (expected.c.length !== sizeOf(shape)) throw new Error("the reference has the wrong size");
  assertClose(label, await c.value, expected.c, { relative: 2e-6, absolute: 1e-6 });
  if (pre) assertClose(`${label} pre`, await pre.value, expected.pre, { relative: 2e-6 });
}

const MODES = [[false, false], [false, true], [true, false], [true, true]];

for (const { name } of matmulTunable.candidates) {
  gpuTest(
    `matmul() by ${name} equals float64 loops for odd sizes and all transpositions`,
    async () => {
      for (const size of SIZES) for (const [tA, tB] of MODES) await check(name, size, tA, tB);
    },
  );
  gpuTest(`matmul() by ${name} crosses blocks and steps`, async () => {
    for (const [tA, tB] of MODES) await check(name, LARGE, tA, tB, {}, 0.5);
  });
  for (const [epilogue, options] of Object.entries(EPILOGUES)) {
    gpuTest(`matmul() by ${name} applies ${epilogue}`, async () => {
      await check(name, [9, 12, 20], false, false, options, -2);
      await check(name, [9, 12, 21, 2], false, true, options, 0.5);
    });
  }
}

// Lavapipe compiles such kernels again at every dispatch; timing that would be flaky, the text is not.
Deno.test("matmul() kernels have no loop that only uniforms bound", () => {
  for (const { name, kernel } of matmulTunable.candidates) {
    for (const [transposeA, transposeB] of MODES) {
      const source = kernelSource(
        kernel(matmulProblem({ M: 9, N: 9, K: 9, transposeA, transposeB })),
      );
      const ends = [...source.matchAll(/for \([^;]*;([^;]*);/g)].map((match) => match[1]);
      assert.ok(ends.length > 0, `${name} has no loop`);
      for (const end of ends) assert.doesNotMatch(end, /\bu\./, `${name}: ${end}`);
      assert.match(source, /let end = min\(u\.K, arrayLength\(&a\)/, name);
    }
  }
});

gpuTest("matmul() refuses a grid over WebGPU's limit", () => {
  const M = 16 * 65536;
  const a = gpu.empty([M, 1]);
  const b = gpu.empty([1, 1]);
  try {
    assert.throws(() => matmul(a, b), /needs a grid of 1 x \d+ x 1 workgroups .* at most 65535/);
  } finally {
    a.dispose();
    b.dispose();
  }
});
