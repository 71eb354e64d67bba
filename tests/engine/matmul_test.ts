import { matmul } from "../../engine/mod.ts";
import { checkOperation } from "../_helpers/gradients.ts";
import { gpuTest } from "../_helpers/gpu.ts";

const SHAPES: [M: number, K: number, N: number][] = [
  [1, 1, 1],
  [5, 3, 7],
  [8, 16, 12],
  [33, 20, 100],
  [17, 9, 130],
  [4, 12, 4],
];

function reference(M: number, K: number, N: number, tA: boolean, tB: boolean) {
  return (a: Float64Array, b: Float64Array) => {
    const batch = a.length / (M * K);
    const c = new Float64Array(batch * M * N);
    for (let z = 0; z < batch; z++) {
      for (let i = 0; i < M; i++) {
        for (let j = 0; j < N; j++) {
          let sum = 0;
          for (let k = 0; k < K; k++) {
            const bBase = b.length === K * N ? 0 : z * K * N;
            sum += a[z * M * K + (tA ? k * M + i : i * K + k)] *
              b[bBase + (tB ? j * K + k : k * N + j)];
          }
          c[(z * M + i) * N + j] = sum;
        }
      }
    }
    return c;
  };
}

for (const [M, K, N] of SHAPES) {
  for (const transposeA of [false, true]) {
    for (const transposeB of [false, true]) {
      gpuTest(
        `matmul() ${M}x${K}x${N} ${transposeA ? "A^T" : "A"} ${transposeB ? "B^T" : "B"}`,
        async () => {
          await checkOperation("matmul", {
            inputs: [
              { name: "a", shape: transposeA ? [K, M] : [M, K] },
              { name: "b", shape: transposeB ? [N, K] : [K, N] },
            ],
            run: (a, b) => matmul(a, b, { transposeA, transposeB }),
            reference: reference(M, K, N, transposeA, transposeB),
          });
        },
      );
    }
  }
}

gpuTest("matmul() batched with its own and with a shared second factor", async () => {
  for (const shared of [false, true]) {
    await checkOperation("matmul", {
      inputs: [{ name: "a", shape: [2, 3, 5, 8] }, {
        name: "b",
        shape: shared ? [8, 12] : [2, 3, 8, 12],
      }],
      run: (a, b) => matmul(a, b),
      reference: reference(5, 8, 12, false, false),
    });
  }
});

gpuTest("matmul() applies scale, bias, activation and residual", async () => {
  for (const N of [12, 7]) {
    await checkOperation("matmul", {
      inputs: [
        { name: "a", shape: [2, 5, 8] },
        { name: "b", shape: [8, N] },
        { name: "bias", shape: [N] },
        { name: "residual", shape: [2, 5, N] },
      ],
      run: (a, b, bias, residual) =>
        matmul(a, b, { scale: 0.5, bias, residual, activation: "geluTanh" }),
      reference: (a, b, bias, residual) =>
        reference(10, 8, N, false, false)(a, b).map((x, i) => {
          const y = 0.5 * x + bias[i % N];
          return 0.5 * y * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (y + 0.044715 * y ** 3))) +
            residual[i];
        }),
    });
  }
});
