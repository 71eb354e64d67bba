import {
  abs,
  addScalar,
  affine,
  exp,
  log,
  maximumScalar,
  minimumScalar,
  mulScalar,
  neg,
  pow,
  reciprocal,
  type Shape,
  sizeOf,
  sqrt,
  square,
  type Tensor,
} from "../../engine/mod.ts";
import { checkOperation, randomArray } from "../_helpers/gradients.ts";
import { gpuTest } from "../_helpers/gpu.ts";

const SHAPES: Shape[] = [[], [1], [5], [3, 4], [37, 31]];

const ANY: [string, (x: Tensor) => Tensor, (x: number) => number][] = [
  ["affine", (x) => affine(x, -1.5, 0.25), (x) => -1.5 * x + 0.25],
  ["neg", neg, (x) => -x],
  ["addScalar", (x) => addScalar(x, 3), (x) => x + 3],
  ["mulScalar", (x) => mulScalar(x, -2), (x) => -2 * x],
  ["exp", exp, Math.exp],
  ["square", square, (x) => x * x],
  ["abs", abs, Math.abs],
  ["reciprocal", reciprocal, (x) => 1 / x],
  ["maximumScalar", (x) => maximumScalar(x, 0.3), (x) => Math.max(x, 0.3)],
  ["minimumScalar", (x) => minimumScalar(x, 0.3), (x) => Math.min(x, 0.3)],
  ["pow 3", (x) => pow(x, 3), (x) => x ** 3],
  ["pow 4", (x) => pow(x, 4), (x) => x ** 4],
  ["pow 1", (x) => pow(x, 1), (x) => x],
  ["pow 0", (x) => pow(x, 0), () => 1],
  ["pow 2", (x) => pow(x, 2), (x) => x ** 2],
  ["pow -1", (x) => pow(x, -1), (x) => 1 / x],
  ["pow -3", (x) => pow(x, -3), (x) => x ** -3],
];

const POSITIVE: typeof ANY = [
  ["log", log, Math.log],
  ["sqrt", sqrt, Math.sqrt],
  ["pow 0.5", (x) => pow(x, 0.5), Math.sqrt],
  ["pow -0.5", (x) => pow(x, -0.5), (x) => x ** -0.5],
  ["pow 1.7", (x) => pow(x, 1.7), (x) => x ** 1.7],
];

for (const [name, run, f] of [...ANY, ...POSITIVE]) {
  const positive = POSITIVE.some(([other]) => other === name);
  gpuTest(`${name}() matches float64 in value and gradient`, async () => {
    for (const shape of SHAPES) {
      // Away from 0, where reciprocals explode, and from the corners of abs and the clamps.
      const values = randomArray(sizeOf(shape), 3).map((x) =>
        positive ? Math.abs(x) + 0.4 : x + 0.4 * Math.sign(x)
      );
      await checkOperation(`${name} [${shape}]`, {
        inputs: [{ name: "x", shape, values }],
        run,
        reference: (x) => x.map(f),
      });
    }
  });
}

gpuTest("pow() and its gradient are exact at 0", async () => {
  for (const exponent of [0, 1, 3]) {
    await checkOperation(`0 ** ${exponent}`, {
      inputs: [{ name: "x", shape: [2], values: Float32Array.of(0, 2) }],
      run: (x) => pow(x, exponent),
      reference: (x) => x.map((v) => v ** exponent),
    });
  }
});
