import { deepEqual, equal, ok, throws } from "node:assert/strict";
import {
  crossEntropy,
  type CrossEntropyOptions,
  linearCrossEntropy,
  ShapeError,
  uniformAt,
} from "../../engine/mod.ts";
import { assertClose } from "../_helpers/assert_close.ts";
import { checkOperation, randomArray } from "../_helpers/gradients.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

/** Loss of each row by its definition, the target distribution written out. */
function rowLosses(
  logits: Float64Array,
  targets: Int32Array,
  { ignoreIndex = -1, labelSmoothing = 0 }: CrossEntropyOptions,
): number[] {
  const C = logits.length / targets.length;
  return Array.from(targets, (target, row) => {
    if (target === ignoreIndex) return 0;
    const z = logits.subarray(row * C, (row + 1) * C);
    const most = Math.max(...z);
    const normalizer = most + Math.log(z.reduce((sum, v) => sum + Math.exp(v - most), 0));
    return z.reduce((sum, v, c) => {
      const q = labelSmoothing / C + (c === target ? 1 - labelSmoothing : 0);
      return sum + q * (normalizer - v);
    }, 0);
  });
}

function meanReference(targets: Int32Array, options: CrossEntropyOptions) {
  const count = targets.filter((t) => t !== (options.ignoreIndex ?? -1)).length;
  return (logits: Float64Array) => {
    const sum = rowLosses(logits, targets, options).reduce((a, b) => a + b, 0);
    return [count === 0 ? 0 : sum / count];
  };
}

function linear(x: Float64Array, w: Float64Array, bias: Float64Array | undefined, D: number) {
  const V = w.length / D;
  return Float64Array.from({ length: x.length / D * V }, (_, i) => {
    const [n, v] = [Math.floor(i / V), i % V];
    let sum = bias?.[v] ?? 0;
    for (let d = 0; d < D; d++) sum += x[n * D + d] * w[v * D + d];
    return sum;
  });
}

/** Targets of which about a fifth are ignored. */
function randomTargets(count: number, classes: number, ignoreIndex = -1): Int32Array {
  return Int32Array.from(
    { length: count },
    (_, i) => uniformAt(1, 2, i) < 0.2 ? ignoreIndex : Math.floor(uniformAt(1, 1, i) * classes),
  );
}

const OPTIONS: CrossEntropyOptions[] = [{}, { ignoreIndex: 2, labelSmoothing: 0.1 }];

for (const choice of ["1", "8", "64", "256"]) {
  for (const options of OPTIONS) {
    const label = `${choice} threads per row, ${JSON.stringify(options)}`;

    gpuTest(`crossEntropy() ${label}`, async () => {
      gpu.choices.set("cross_entropy.row_threads", choice);
      for (const [N, C] of [[1, 1], [3, 5], [9, 12], [33, 7], [6, 300]]) {
        if (C === 1 && options.labelSmoothing) continue;
        const targets = randomTargets(N, C, options.ignoreIndex);
        await checkOperation(`crossEntropy ${N}x${C}`, {
          inputs: [{ name: "logits", shape: [N, C], values: randomArray(N * C, 8, 3) }],
          run: (logits) => crossEntropy(logits, gpu.tensor(targets, [N]), options),
          reference: meanReference(targets, options),
        });
      }
      gpu.choices.delete("cross_entropy.row_threads");
    });

    gpuTest(`linearCrossEntropy() ${label}`, async () => {
      gpu.choices.set("cross_entropy.row_threads", choice);
      const cases = [[5, 3, 7, 1], [150, 4, 12, 64], [36, 8, 20, 8]];
      for (const [N, D, V, chunkRows] of cases) {
        const targets = randomTargets(N, V, options.ignoreIndex);
        const mean = meanReference(targets, options);
        await checkOperation(`linearCrossEntropy ${N}x${D}x${V}`, {
          inputs: [
            { name: "x", shape: [N, D] },
            { name: "weight", shape: [V, D] },
            { name: "bias", shape: [V] },
          ],
          run: (x, weight, bias) =>
            linearCrossEntropy(x, weight, gpu.tensor(targets, [N]), {
              ...options,
              bias,
              chunkRows,
            }),
          reference: (x, w, bias) => mean(linear(x, w, bias, D)),
        });
      }
      gpu.choices.delete("cross_entropy.row_threads");
    });
  }
}

gpuTest("linearCrossEntropy() gives each needed gradient only, without bias", async () => {
  const [N, D, V] = [10, 4, 8];
  const targets = randomTargets(N, V);
  const mean = meanReference(targets, {});
  for (const constant of [["x"], ["weight"], []]) {
    await checkOperation("linearCrossEntropy", {
      inputs: [{ name: "x", shape: [2, 5, D] }, { name: "weight", shape: [V, D] }],
      constant,
      run: (x, weight) => linearCrossEntropy(x, weight, gpu.tensor(targets, [2, 5])),
      reference: (x, w) => mean(linear(x, w, undefined, D)),
    });
  }
});

gpuTest("linearCrossEntropy() of ignored targets only is 0 with gradient 0", async () => {
  const targets = gpu.tensor(Int32Array.of(-1, -1, -1), [3]);
  const { loss, gradients } = gpu.scope(() => {
    const x = gpu.tensor(randomArray(12, 1), [3, 4]);
    const weight = gpu.tensor(randomArray(20, 2), [5, 4]);
    x.requiresGrad = weight.requiresGrad = true;
    return gpu.withTape((tape) => {
      const y = linearCrossEntropy(x, weight, targets);
      const loss = gpu.readLater(y);
      const gradients = tape.backward(y, undefined, [x, weight]).map((g) => gpu.readLater(g!));
      return { loss, gradients };
    });
  });
  gpu.submit();
  equal((await loss.value)[0], 0);
  ok((await gradients[0].value).every((g) => Math.abs(g) === 0));
  ok((await gradients[1].value).every((g) => Math.abs(g) === 0));
});

gpuTest("linearCrossEntropy() holds about 8 MiB of logits and leaves nothing behind", () => {
  const [N, D, V] = [512, 4, 16384];
  const targets = gpu.tensor(randomTargets(N, V), [N]);
  const x = gpu.tensor(randomArray(N * D, 1), [N, D]);
  const weight = gpu.tensor(randomArray(V * D, 2), [V, D]);
  x.requiresGrad = weight.requiresGrad = true;
  const before = gpu.memory.liveBytes;
  gpu.memory.resetPeak();
  gpu.scope(() => {
    gpu.withTape((tape) => tape.backward(linearCrossEntropy(x, weight, targets)));
  });
  const workspace = gpu.memory.byTag.get("workspace")!.peak;
  ok(workspace >= 8 << 20 && workspace < 9 << 20, `workspace of ${workspace} bytes`);
  equal(gpu.memory.liveBytes, before);
});

gpuTest('reduction "none" gives the loss of each target, 0 where ignored', async () => {
  const [N, D, V] = [150, 3, 11];
  const targets = randomTargets(N, V);
  const [x, w] = [randomArray(N * D, 1), randomArray(V * D, 2)];
  const logits = linear(Float64Array.from(x), Float64Array.from(w), undefined, D);
  const expected = rowLosses(logits, targets, {});
  const ids = gpu.tensor(targets, [3, 50]);
  const losses = linearCrossEntropy(gpu.tensor(x, [3, 50, D]), gpu.tensor(w, [V, D]), ids, {
    reduction: "none",
    chunkRows: 64,
  });
  deepEqual(losses.shape, [3, 50]);
  assertClose("losses", await gpu.readFloats(losses), expected);
  const dense = crossEntropy(gpu.tensor(Float32Array.from(logits), [N, V]), ids, {
    reduction: "none",
  });
  assertClose("losses", await gpu.readFloats(dense), expected);
});

gpuTest("crossEntropy() stays exact for large logits", async () => {
  const logits = gpu.tensor([1e4, 1e4 - 1, -1e4, 0, 300, 300, 300, 300], [2, 4]);
  const loss = await gpu.readFloats(
    crossEntropy(logits, gpu.tensor(Int32Array.of(1, 3), [2]), { reduction: "none" }),
  );
  assertClose("loss", loss, [Math.log(1 + Math.exp(-1)) + 1, Math.log(4)], { relative: 1e-6 });
});

gpuTest("crossEntropy() is NaN for targets out of range", async () => {
  const logits = gpu.tensor([1, 2, 3, 4, 5, 6, 7, 8], [2, 4]);
  for (const bad of [4, -2]) {
    const loss = crossEntropy(logits, gpu.tensor(Int32Array.of(0, bad), [2]));
    ok(Number.isNaN((await gpu.readFloats(loss))[0]));
  }
});

gpuTest("crossEntropy() scales its gradient by the upstream gradient", async () => {
  const [logits, targets] = [randomArray(12, 1), Int32Array.of(1, 0, 3)];
  const gradientFor = async (upstream: number) => {
    const [gradient] = gpu.scope(() => {
      const z = gpu.tensor(logits, [3, 4]);
      z.requiresGrad = true;
      return gpu.withTape((tape) =>
        tape.backward(crossEntropy(z, gpu.tensor(targets, [3])), gpu.tensor([upstream], []), [z])
      );
    });
    return await gpu.readFloats(gradient!);
  };
  const once = await gradientFor(1);
  deepEqual(await gradientFor(-4), once.map((g) => -4 * g));
});

gpuTest("cross-entropy losses refuse what does not fit", () => {
  const x = gpu.tensor(randomArray(8, 1), [2, 4]);
  const weight = gpu.tensor(randomArray(12, 1), [3, 4]);
  const targets = gpu.tensor(Int32Array.of(0, 1), [2]);
  throws(() => linearCrossEntropy(x, gpu.tensor([1, 2, 3], [1, 3]), targets), ShapeError);
  throws(() => linearCrossEntropy(x, weight, gpu.tensor(Int32Array.of(0), [1])), ShapeError);
  throws(() => linearCrossEntropy(x, weight, gpu.tensor([0, 1], [2])), TypeError);
  throws(() => linearCrossEntropy(x, weight, targets, { labelSmoothing: 1 }), RangeError);
  throws(() => linearCrossEntropy(x, weight, targets, { chunkRows: 0 }), RangeError);
  throws(() => crossEntropy(x, targets, { ignoreIndex: 0.5 }), RangeError);
  x.requiresGrad = true;
  throws(
    () => gpu.withTape(() => crossEntropy(x, targets, { reduction: "none" })),
    TypeError,
  );
});
