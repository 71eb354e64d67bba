import assert from "node:assert/strict";
import {
  add,
  div,
  greater,
  maximum,
  minimum,
  mul,
  type Shape,
  ShapeError,
  sizeOf,
  sub,
  type Tensor,
  where,
} from "../../engine/mod.ts";
import { broadcastReference } from "../_helpers/broadcast_reference.ts";
import { checkOperation, randomArray } from "../_helpers/gradients.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

const PAIRS: [Shape, Shape][] = [
  [[1], [1]],
  [[7], [7]],
  [[3, 8], [3, 8]],
  [[], [3]],
  [[5, 7], []],
  [[3, 5, 8], [8]],
  [[3, 5, 7], [5, 7]],
  [[7], [2, 3, 7]],
  [[3, 4, 8], [3, 4, 1]],
  [[3, 7], [3, 1]],
  [[2, 3, 8], [1, 3, 1]],
  [[2, 3, 8], [2, 1, 8]],
  [[2, 3, 7], [2, 1, 7]],
  [[4, 1], [1, 5]],
  [[2, 1, 3, 1, 2, 1], [1, 2, 1, 3, 1, 2]],
  [[80, 5], [80, 5]],
  [[70, 12], [12]],
];

/** Values away from 0 for the divisor. */
const awayFromZero = (shape: Shape, stream: number) =>
  randomArray(sizeOf(shape), stream).map((x) => x + 1.5 * Math.sign(x));

const OPERATIONS: [string, (a: Tensor, b: Tensor) => Tensor, (a: number, b: number) => number][] = [
  ["add", add, (a, b) => a + b],
  ["sub", sub, (a, b) => a - b],
  ["mul", mul, (a, b) => a * b],
  ["div", div, (a, b) => a / b],
  ["maximum", maximum, Math.max],
  ["minimum", minimum, Math.min],
];

for (const [name, run, f] of OPERATIONS) {
  gpuTest(`${name}() broadcasts and sums the gradients back`, async () => {
    for (const shapes of PAIRS) {
      await checkOperation(`${name} ${JSON.stringify(shapes)}`, {
        inputs: [
          { name: "a", shape: shapes[0] },
          { name: "b", shape: shapes[1], values: awayFromZero(shapes[1], 2) },
        ],
        run,
        reference: (...operands) => broadcastReference(shapes, operands, f),
      });
    }
  });
}

gpuTest("binary operations take a number on either side", async () => {
  const cases: [string, (x: Tensor) => Tensor, (x: number) => number][] = [
    ["x + 2", (x) => add(x, 2), (x) => x + 2],
    ["2 + x", (x) => add(2, x), (x) => 2 + x],
    ["x - 2", (x) => sub(x, 2), (x) => x - 2],
    ["2 - x", (x) => sub(2, x), (x) => 2 - x],
    ["3 x", (x) => mul(3, x), (x) => 3 * x],
    ["x / 3", (x) => div(x, 3), (x) => x / 3],
    ["3 / x", (x) => div(3, x), (x) => 3 / x],
    ["max(x, 0.2)", (x) => maximum(x, 0.2), (x) => Math.max(x, 0.2)],
    ["min(0.2, x)", (x) => minimum(0.2, x), (x) => Math.min(x, 0.2)],
  ];
  for (const [label, run, f] of cases) {
    await checkOperation(label, {
      inputs: [{ name: "x", shape: [5, 7], values: awayFromZero([5, 7], 1) }],
      run,
      reference: (x) => x.map(f),
    });
  }
  assert.throws(() => add(1, 2), TypeError);
});

gpuTest(
  "maximum() and minimum() give the gradient of equal elements to the first operand",
  async () => {
    for (const run of [maximum, minimum]) {
      const gradients = gpu.scope(() => {
        const [a, b] = [gpu.tensor([1, 2], [2]), gpu.tensor([1, 2], [2])];
        a.requiresGrad = b.requiresGrad = true;
        return gpu.withTape((tape) =>
          tape.backward(run(a, b), gpu.tensor([3, 4], [2]), [a, b]).map((g) => gpu.readLater(g!))
        );
      });
      gpu.submit();
      assert.deepEqual(await gradients[0].value, Float32Array.of(3, 4));
      assert.deepEqual(await gradients[1].value, Float32Array.of(0, 0));
    }
  },
);

gpuTest("an operand used twice gets both gradients", async () => {
  await checkOperation("x * x + x", {
    inputs: [{ name: "x", shape: [3, 5] }],
    run: (x) => add(mul(x, x), x),
    reference: (x) => x.map((v) => v * v + v),
  });
});

gpuTest("where() chooses by a condition and passes gradients to the chosen", async () => {
  const shapes: Shape[][] = [
    [[3, 8], [3, 8], [3, 8]],
    [[3, 1], [7], [3, 7]],
    [[2, 1, 8], [], [2, 3, 8]],
    [[4, 5], [4, 5], []],
  ];
  for (const [condition, a, b] of shapes) {
    const chosen = randomArray(sizeOf(condition), 5).map((x) => x > 0 ? 1 : 0);
    await checkOperation(`where ${JSON.stringify([condition, a, b])}`, {
      inputs: [
        { name: "condition", shape: condition, values: chosen },
        { name: "a", shape: a },
        { name: "b", shape: b },
      ],
      constant: ["condition"],
      run: where,
      reference: (...operands) =>
        broadcastReference([condition, a, b], operands, (c, x, y) => c !== 0 ? x : y),
    });
  }
});

gpuTest("greater() is 1 where the first operand is larger", async () => {
  const y = greater(gpu.tensor([1, 2, 3, -1], [2, 2]), gpu.tensor([1, 1], [2]));
  assert.deepEqual(await gpu.read(y), Float32Array.of(0, 1, 1, 0));
});

gpuTest("binary operations refuse shapes and types that do not fit", () => {
  assert.throws(() => add(gpu.zeros([2, 3]), gpu.zeros([2])), ShapeError);
  assert.throws(() => add(gpu.zeros([2]), gpu.zeros([2], "i32")), TypeError);
});
