import {
  elu,
  gelu,
  geluTanh,
  layerNorm,
  logSoftmax,
  rmsNorm,
  sigmoid,
  softmax,
  type Tensor,
} from "../../engine/mod.ts";
import golden from "../golden/primitives.json" with { type: "json" };
import { assertClose } from "../_helpers/assert_close.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

interface GoldenTensor {
  readonly shape: number[];
  readonly data: number[];
}

interface GoldenCase {
  readonly epsilon?: number;
  readonly inputs: Record<string, GoldenTensor>;
  readonly upstream: GoldenTensor;
  readonly output: GoldenTensor;
  readonly gradients: Record<string, GoldenTensor>;
}

type Run = (inputs: Record<string, Tensor>, epsilon?: number) => Tensor;

const layer: Run = ({ x, weight, bias }, epsilon) => layerNorm(x, weight, bias, { epsilon });

/**
 * The operation of each case and the largest relative error. Large means and constant rows leave f32 fewer digits: with a mean of 1000 and a
 * variance of 1, x itself is known to 6e-5.
 */
const CASES: Record<string, { run: Run; relative?: number }> = {
  layer_norm: { run: layer },
  layer_norm_large_mean: { run: layer, relative: 2e-4 },
  layer_norm_constant_row: { run: layer },
  rms_norm: { run: ({ x, weight }, epsilon) => rmsNorm(x, weight, { epsilon }) },
  softmax: { run: ({ x }) => softmax(x) },
  softmax_large_logits: { run: ({ x }) => softmax(x) },
  log_softmax: { run: ({ x }) => logSoftmax(x) },
  gelu_exact: { run: ({ x }) => gelu(x) },
  gelu_tanh: { run: ({ x }) => geluTanh(x) },
  elu: { run: ({ x }) => elu(x) },
  sigmoid: { run: ({ x }) => sigmoid(x) },
};

for (const [name, { run, relative = 1e-5 }] of Object.entries(CASES)) {
  gpuTest(`golden case ${name} agrees with torch in value and gradient`, async () => {
    const golds = golden.cases as unknown as Record<string, GoldenCase>;
    const { inputs, upstream, output, gradients, epsilon } = golds[name];
    const results = gpu.scope(() => {
      const tensors = Object.fromEntries(
        Object.entries(inputs).map(([key, { data, shape }]) => {
          const tensor = gpu.tensor(data, shape);
          tensor.requiresGrad = true;
          return [key, tensor];
        }),
      );
      return gpu.withTape((tape) => {
        const y = run(tensors, epsilon);
        const value = gpu.readLater(y);
        const wanted = Object.keys(gradients).map((key) => tensors[key]);
        const from = gpu.tensor(upstream.data, upstream.shape);
        return [value, ...tape.backward(y, from, wanted).map((g) => gpu.readLater(g!))];
      });
    });
    gpu.submit();
    const expected: [string, GoldenTensor][] = [["output", output], ...Object.entries(gradients)];
    for (const [i, [part, { data }]] of expected.entries()) {
      assertClose(`${name} ${part}`, await results[i].value, data, { relative, absolute: 1e-6 });
    }
  });
}
