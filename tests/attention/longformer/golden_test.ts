import {
  fusedLongformerAttention,
  naiveLongformerAttention,
} from "../../../attention/longformer/mod.ts";
import { assertClose } from "../../_helpers/assert_close.ts";
import { closedForm } from "../../_helpers/closed_form.ts";
import { golden, type GoldenTensor } from "../../_helpers/golden.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";

interface GoldenFile {
  readonly heads: number;
  readonly head_size: number;
  readonly cases: Record<string, {
    readonly batch: number;
    readonly globals: number;
    readonly length: number;
    readonly window: number;
    readonly mask: GoldenTensor;
    readonly output: GoldenTensor;
    readonly qkv_gradient: GoldenTensor;
  }>;
}

const { heads: H, head_size: d, cases } = golden<GoldenFile>("longformer_attention");

for (const [name, given] of Object.entries(cases)) {
  for (const attend of [fusedLongformerAttention, naiveLongformerAttention]) {
    gpuTest(`${attend.name}() matches the published model's attention: ${name}`, async () => {
      const { batch: B, globals, window, mask } = given;
      const N = globals + given.length;
      // Padded queries do not count: their rows are 0 there, and get no gradient here.
      const counts = (values: Float32Array) =>
        values.map((x, i) => x * mask.data[Math.floor(i / (H * d))]);
      const later = gpu.scope(() =>
        gpu.withTape((tape) => {
          const values = closedForm("longformer_attention.qkv", [B, N, 3, H, d]).map((x) => 4 * x);
          const qkv = gpu.tensor(values, [B, N, 3, H, d]);
          qkv.requiresGrad = true;
          const keyMask = gpu.tensor(Int32Array.from(mask.data), [B, N]);
          const y = attend(qkv, { globals, window, keyMask });
          const output = gpu.readLater(y);
          const upstream = counts(closedForm("longformer_attention.upstream", [B, N, H, d]));
          const [gradient] = tape.backward(y, gpu.tensor(upstream, y.shape), [qkv]);
          return [output, gpu.readLater(gradient!)];
        })
      );
      gpu.submit();
      const [output, gradient] = await Promise.all(later.map((x) => x.value)) as Float32Array[];
      assertClose("output", counts(output), given.output.data, { relative: 2e-5 });
      assertClose("gradient", gradient, given.qkv_gradient.data, { relative: 1e-4 });
    });
  }
}
