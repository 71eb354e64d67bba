import assert from "node:assert/strict";
import {
  logSoftmax,
  ROW_VARIANT_CHOICE,
  type Shape,
  ShapeError,
  sizeOf,
  softmax,
} from "../../engine/mod.ts";
import { assertClose } from "../_helpers/assert_close.ts";
import { broadcastReference } from "../_helpers/broadcast_reference.ts";
import { checkOperation, randomArray } from "../_helpers/gradients.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

const VARIANTS = ["thread", "8", "64"];

function reference(columns: number, log: boolean) {
  return (x: Float64Array) => {
    const y = new Float64Array(x.length);
    for (let base = 0; base < x.length; base += columns) {
      const row = x.subarray(base, base + columns);
      const top = Math.max(...row);
      let total = 0;
      for (const v of row) total += Math.exp(v - top);
      row.forEach((v, c) =>
        y[base + c] = log ? v - top - Math.log(total) : Math.exp(v - top) / total
      );
    }
    return y;
  };
}

for (const variant of VARIANTS) {
  gpuTest(`softmax() and logSoftmax() with rows shared by ${variant}`, async () => {
    gpu.choices.set(ROW_VARIANT_CHOICE, variant);
    try {
      const shapes: Shape[] = [[1], [1, 1], [3, 4], [2, 5, 7], [19, 36], [2, 300], [2, 1, 2, 131]];
      for (const shape of shapes) {
        const columns = shape[shape.length - 1];
        for (const [op, log] of [[softmax, false], [logSoftmax, true]] as const) {
          await checkOperation(`${op.name} [${shape}]`, {
            inputs: [{ name: "x", shape }],
            run: (x) => op(x),
            reference: reference(columns, log),
          });
        }
      }
    } finally {
      gpu.choices.delete(ROW_VARIANT_CHOICE);
    }
  });

  gpuTest(`softmax() with scale and mask, rows shared by ${variant}`, async () => {
    gpu.choices.set(ROW_VARIANT_CHOICE, variant);
    try {
      const cases: [Shape, Shape, boolean][] = [
        [[2, 3, 5, 8], [5, 8], true],
        [[2, 3, 7], [2, 3, 7], true],
        [[2, 3, 7], [7], true],
        [[2, 3, 4, 8], [2, 1, 1, 8], true],
        [[3, 4], [], true],
        [[2, 5, 8], [5, 8], false],
      ];
      for (const [shape, maskShape, constant] of cases) {
        const columns = shape[shape.length - 1];
        const mask = randomArray(sizeOf(maskShape), 9);
        // Every third value leaves a position out.
        if (constant && maskShape.length > 0) {
          mask.forEach((_, i) => i % 3 === 2 && (mask[i] = -1e30));
        }
        for (const [op, log] of [[softmax, false], [logSoftmax, true]] as const) {
          // The logarithm at a position that is left out is about -1e30; its row would drown the others.
          if (log && constant) continue;
          await checkOperation(`${op.name} [${shape}] masked by [${maskShape}]`, {
            inputs: [{ name: "x", shape }, { name: "mask", shape: maskShape, values: mask }],
            constant: constant ? ["mask"] : [],
            run: (x, m) => op(x, { scale: 0.7, mask: m }),
            reference: (x, m) =>
              reference(columns, log)(
                broadcastReference([shape, maskShape], [x, m], (a, b) => 0.7 * a + b),
              ),
          });
        }
      }
    } finally {
      gpu.choices.delete(ROW_VARIANT_CHOICE);
    }
  });
}

gpuTest("softmax() of large values neither overflows nor loses its sum", async () => {
  const x = Float32Array.of(1e30, -1e30, 1e30, 0, 300, 301, 302, 303, -1e30, -1e30, -1e30, -1e30);
  const y = await gpu.readFloats(softmax(gpu.tensor(x, [3, 4])));
  assertClose("softmax", y, reference(4, false)(Float64Array.from(x)), { relative: 1e-6 });
});

gpuTest(
  "softmax() refuses a mask that does not fit and a forced variant that does not exist",
  () => {
    const x = gpu.zeros([2, 3]);
    assert.throws(() => softmax(x, { mask: gpu.zeros([2]) }), ShapeError);
    assert.throws(() => softmax(x, { mask: gpu.zeros([4, 2, 3]) }), ShapeError);
    gpu.choices.set(ROW_VARIANT_CHOICE, "5");
    try {
      assert.throws(() => softmax(x), RangeError);
    } finally {
      gpu.choices.delete(ROW_VARIANT_CHOICE);
    }
  },
);
