import assert from "node:assert/strict";
import {
  layerNorm,
  rmsNorm,
  ROW_VARIANT_CHOICE,
  type Shape,
  ShapeError,
} from "../../engine/mod.ts";
import { assertClose } from "../_helpers/assert_close.ts";
import { checkOperation, randomArray } from "../_helpers/gradients.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

function reference(kind: "layer" | "rms", columns: number, epsilon = 1e-5) {
  return (x: Float64Array, weight?: Float64Array, bias?: Float64Array) => {
    const y = new Float64Array(x.length);
    for (let base = 0; base < x.length; base += columns) {
      const row = x.subarray(base, base + columns);
      const mean = kind === "layer" ? row.reduce((a, b) => a + b, 0) / columns : 0;
      const square = row.reduce((a, b) => a + (b - mean) ** 2, 0) / columns;
      row.forEach((v, c) =>
        y[base + c] = (v - mean) / Math.sqrt(square + epsilon) * (weight?.[c] ?? 1) +
          (bias?.[c] ?? 0)
      );
    }
    return y;
  };
}

// One row, rows over a workgroup, more rows than a chunk of the weight gradient, widths that four does and does not divide.
const SHAPES: Shape[] = [[4], [3, 7], [2, 9, 8], [70, 4], [131, 3], [2, 268], [2, 131]];

for (const variant of ["thread", "8", "64"]) {
  gpuTest(`layerNorm() and rmsNorm() with rows shared by ${variant}`, async () => {
    gpu.choices.set(ROW_VARIANT_CHOICE, variant);
    try {
      for (const shape of SHAPES) {
        const columns = shape[shape.length - 1];
        const x = { name: "x", shape };
        const weight = { name: "weight", shape: [columns] };
        const bias = { name: "bias", shape: [columns] };
        await checkOperation(`layerNorm [${shape}]`, {
          inputs: [x, weight, bias],
          run: (x, weight, bias) => layerNorm(x, weight, bias),
          reference: reference("layer", columns),
        });
        await checkOperation(`rmsNorm [${shape}]`, {
          inputs: [x, weight],
          run: (x, weight) => rmsNorm(x, weight),
          reference: reference("rms", columns),
        });
      }
    } finally {
      gpu.choices.delete(ROW_VARIANT_CHOICE);
    }
  });
}

gpuTest("layerNorm() and rmsNorm() without weight, without bias, with constant ones", async () => {
  const x = { name: "x", shape: [5, 12] };
  const weight = { name: "weight", shape: [12] };
  const bias = { name: "bias", shape: [12] };
  const expected = reference("layer", 12, 0.1);
  await checkOperation("layerNorm of x alone", {
    inputs: [x],
    run: (x) => layerNorm(x, undefined, undefined, { epsilon: 0.1 }),
    reference: (x) => expected(x),
  });
  await checkOperation("layerNorm without bias", {
    inputs: [x, weight],
    run: (x, weight) => layerNorm(x, weight, undefined, { epsilon: 0.1 }),
    reference: expected,
  });
  await checkOperation("layerNorm without weight", {
    inputs: [x, bias],
    run: (x, bias) => layerNorm(x, undefined, bias, { epsilon: 0.1 }),
    reference: (x, bias) => expected(x, undefined, bias),
  });
  for (const constant of [["x"], ["weight"], ["bias"], ["x", "weight"], ["weight", "bias"]]) {
    await checkOperation(`layerNorm with constant ${constant}`, {
      inputs: [x, weight, bias],
      constant,
      run: (x, weight, bias) => layerNorm(x, weight, bias, { epsilon: 0.1 }),
      reference: expected,
    });
  }
  await checkOperation("rmsNorm of x alone", {
    inputs: [x],
    run: (x) => rmsNorm(x, undefined, { epsilon: 0.1 }),
    reference: (x) => reference("rms", 12, 0.1)(x),
  });
});

gpuTest("layerNorm() keeps its digits when the mean is far from 0", async () => {
  const host = randomArray(3 * 64, 1).map((x) => x + 1000);
  const y = await gpu.readFloats(layerNorm(gpu.tensor(host, [3, 64])));
  assertClose("layerNorm", y, reference("layer", 64)(Float64Array.from(host)), { relative: 2e-4 });
});

gpuTest("layerNorm() and rmsNorm() save the statistics of rows only", () => {
  const x = gpu.zeros([256, 256]);
  x.requiresGrad = true;
  for (const [norm, perRow] of [[layerNorm, 8], [rmsNorm, 4]] as const) {
    const before = gpu.memory.byTag.get("activations")!.live;
    gpu.scope(() =>
      gpu.withTape(() => {
        const y = norm(x);
        const saved = gpu.memory.byTag.get("activations")!.live - before - y.storage.bytes;
        // The pool may hand out a buffer a quarter larger than asked for.
        assert.ok(saved >= 256 * perRow && saved <= 256 * perRow * 1.25, `${saved} bytes saved`);
      })
    );
  }
  x.dispose();
});

gpuTest("layerNorm() refuses weights of another size", () => {
  assert.throws(() => layerNorm(gpu.zeros([2, 3]), gpu.zeros([2])), ShapeError);
  assert.throws(() => rmsNorm(gpu.zeros([2, 3]), gpu.zeros([4])), ShapeError);
});
