import { fusedAttention, naiveAttention } from "../../../attention/softmax/mod.ts";
import { assertClose } from "../../_helpers/assert_close.ts";
import { golden, type GoldenTensor } from "../../_helpers/golden.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";

interface AttentionCase {
  readonly scale: number;
  readonly causal: boolean;
  readonly inputs: { readonly q: GoldenTensor; readonly k: GoldenTensor; readonly v: GoldenTensor };
  readonly constants?: { readonly key_mask: GoldenTensor };
  readonly upstream: GoldenTensor;
  readonly output: GoldenTensor;
  readonly gradients: {
    readonly q: GoldenTensor;
    readonly k: GoldenTensor;
    readonly v: GoldenTensor;
  };
}

const { cases } = golden<{ cases: Record<string, AttentionCase> }>("primitives");

/** Swaps the middle axes: the golden values are [B, H, T, d], the mechanism's rows [B, T, H, d]. */
function swapHeads({ shape: [B, X, Y, d], data }: GoldenTensor): GoldenTensor {
  const swapped = data.map((_, n) => {
    const c = n % d, x = Math.floor(n / d) % X, y = Math.floor(n / d / X) % Y;
    const b = Math.floor(n / d / X / Y);
    return data[((b * X + x) * Y + y) * d + c];
  });
  return { shape: [B, Y, X, d], data: swapped };
}

const names = [
  "attention_full",
  "attention_causal",
  "attention_padding",
  "attention_causal_padding",
];
for (const name of names) {
  for (
    const [form, attention] of Object.entries({
      fused: fusedAttention,
      staged: (input, options) =>
        fusedAttention(input, { ...options, variant: { family: "staged", rows: 32 } }),
      naive: naiveAttention,
    }) as [string, typeof fusedAttention][]
  ) {
    gpuTest(`${form} softmax attention gives the golden values of ${name}`, async () => {
      const { inputs, constants, upstream, output, gradients, scale, causal } = cases[name];
      const upload = (x: GoldenTensor) => gpu.tensor(x.data, x.shape);
      const later = gpu.scope(() => {
        const [q, k, v] = [inputs.q, inputs.k, inputs.v].map((x) => upload(swapHeads(x)));
        [q, k, v].forEach((t) => t.requiresGrad = true);
        const mask = constants?.key_mask;
        const keyMask = mask && gpu.tensor(Int32Array.from(mask.data), mask.shape);
        return gpu.withTape((tape) => {
          const y = attention({ q, k, v }, { scale, causal, keyMask });
          const o = gpu.readLater(y);
          const all = tape.backward(y, upload(swapHeads(upstream)), [q, k, v]);
          return [o, ...all.map((g) => gpu.readLater(g!))];
        });
      });
      gpu.submit();
      const [o, dq, dk, dv] = await Promise.all(later.map((x) => x.value)) as Float32Array[];
      assertClose("output", o, swapHeads(output).data);
      assertClose("gradient of q", dq, swapHeads(gradients.q).data);
      assertClose("gradient of k", dk, swapHeads(gradients.k).data);
      assertClose("gradient of v", dv, swapHeads(gradients.v).data);
    });
  }
}
