import { matmul, reshape, type Tensor } from "../../engine/mod.ts";
import { mixTokens } from "../../models/layers/gpt2_block.ts";
import { mergeLora } from "../../models/layers/lora.ts";
import {
  compressPositions,
  expandAcrossPositions,
  expandWithinGroups,
  shiftRight,
} from "../../models/layers/pyramid.ts";
import { fusedAttention } from "../../attention/mod.ts";
import { assertClose } from "../_helpers/assert_close.ts";
import { golden, type GoldenTensor } from "../_helpers/golden.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

interface GoldenCase {
  readonly heads?: number;
  readonly rank?: number;
  readonly alpha?: number;
  readonly inputs: Record<string, GoldenTensor>;
  readonly upstream: GoldenTensor;
  readonly output: GoldenTensor;
  readonly gradients: Record<string, GoldenTensor>;
}

type Inputs = Record<string, Tensor>;

const { cases } = golden<{ cases: Record<string, GoldenCase> }>("conv_attention");
const { heads, rank, alpha } = cases.lora_attention as Required<GoldenCase>;

const branchOf = ({ a, b }: Inputs) => ({ a, b, scale: alpha / rank });
const resampling = (inputs: Inputs) => ({
  norm: { weight: inputs.norm_weight, bias: inputs.norm_bias },
  conv: { weight: inputs.weight, bias: inputs.bias },
});

const RUNS: Record<string, { of: string; run: (inputs: Inputs) => Tensor }> = {
  "LoRA attention": {
    of: "lora_attention",
    run: (x) =>
      matmul(
        mixTokens({ weight: x.qkv, bias: x.qkv_bias }, x.z, { heads, branches: [branchOf(x)] }),
        x.projection,
        { bias: x.projection_bias },
      ),
  },
  "merged LoRA attention": {
    of: "lora_attention",
    run: (x) => {
      const { qkv, projection, attentions } = mergeLora(
        { weight: x.qkv, bias: x.qkv_bias },
        { weight: x.projection, bias: x.projection_bias },
        [branchOf(x)],
      );
      const mixed = fusedAttention(matmul(x.z, qkv.weight, { bias: reshape(qkv.bias, [-1]) }), {
        heads: heads * attentions,
        causal: true,
      });
      return matmul(mixed, projection.weight, { bias: projection.bias });
    },
  },
  compressor: { of: "compressor", run: (x) => compressPositions(x.x, resampling(x)) },
  "published expander": {
    of: "expander_published",
    run: (x) => expandAcrossPositions(x.x, resampling(x)),
  },
  "causal expander": {
    of: "expander_causal",
    run: (x) => expandWithinGroups(shiftRight(x.x, x.start), resampling(x)),
  },
};

for (const [name, { of, run }] of Object.entries(RUNS)) {
  gpuTest(`the ${name} agrees with torch in value and gradient`, async () => {
    const { inputs, upstream, output, gradients } = cases[of];
    const keys = Object.keys(inputs);
    const reads = gpu.scope(() => {
      const tensors = Object.fromEntries(keys.map((key) => {
        const tensor = gpu.tensor(inputs[key].data, inputs[key].shape);
        tensor.requiresGrad = true;
        return [key, tensor];
      }));
      return gpu.withTape((tape) => {
        const y = run(tensors);
        const value = gpu.readLater(y);
        const from = gpu.tensor(upstream.data, upstream.shape);
        const found = tape.backward(y, from, keys.map((key) => tensors[key]));
        return [value, ...found.map((g) => gpu.readLater(g!))];
      });
    });
    gpu.submit();
    const expected = [output, ...keys.map((key) => gradients[key])];
    for (const [i, { data }] of expected.entries()) {
      const part = i === 0 ? "output" : `gradient of ${keys[i - 1]}`;
      assertClose(`${name} ${part}`, await reads[i].value, data, { absolute: 2e-6 });
    }
  });
}
