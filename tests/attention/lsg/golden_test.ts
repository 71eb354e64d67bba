import {
  fusedLsgAttention,
  type LsgParity,
  type LsgPattern,
  naiveLsgAttention,
  type SparsityType,
} from "../../../attention/lsg/mod.ts";
import { assertClose } from "../../_helpers/assert_close.ts";
import { closedForm } from "../../_helpers/closed_form.ts";
import { golden, type GoldenTensor } from "../../_helpers/golden.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";

/** A case of the reference's attention class. */
interface GoldenCase {
  readonly batch: number;
  readonly globals: number;
  readonly length: number;
  readonly blockSize: number;
  readonly sparseBlockSize: number;
  readonly sparsityFactor: number;
  readonly sparsityType: SparsityType;
  readonly causal: boolean;
  readonly maskFirstToken: boolean;
  readonly parity?: LsgParity;
  readonly lshPreRounds?: number;
  /** Directions of every round, [H, d, m]. */
  readonly projections?: GoldenTensor[];
  readonly mask: GoldenTensor;
  readonly output: GoldenTensor;
  readonly qkv_gradient: GoldenTensor;
}

interface GoldenFile {
  readonly heads: number;
  readonly head_size: number;
  readonly cases: Record<string, GoldenCase>;
}

/** [H, d, m] to [H, m, d]. */
function turned({ shape: [H, d, m], data }: GoldenTensor): Float32Array {
  return Float32Array.from(
    { length: data.length },
    (_, i) => data[(Math.floor(i / (m * d)) * d + i % d) * m + Math.floor(i / d) % m],
  ).subarray(0, H * m * d);
}

for (
  const file of [
    "lsg_attention",
    "lsg_attention_stride",
    "lsg_attention_causal",
    "lsg_attention_lsh",
  ]
) {
  const { heads: H, head_size: d, cases } = golden<GoldenFile>(file);
  for (const [name, given] of Object.entries(cases)) {
    for (const attend of [fusedLsgAttention, naiveLsgAttention]) {
      gpuTest(
        `${attend.name}() matches lsg-converter: ${name}${given.causal ? ", causal" : ""}`,
        async () => {
          const { batch: B, globals: G, length: T, mask } = given;
          const N = G + T;
          const pattern: LsgPattern = { ...given, lshPlanes: given.projections?.map(turned) };
          const keyMask = Int32Array.from(
            { length: B * N },
            (_, i) => i % N < G ? 1 : mask.data[Math.floor(i / N) * T + i % N - G],
          );
          const values = closedForm("lsg_attention.qkv", [B, N, 3, H, d]).map((x) => 4 * x);
          const upstream = closedForm("lsg_attention.upstream", [B, N, H, d]);
          const later = gpu.scope(() =>
            gpu.withTape((tape) => {
              const qkv = gpu.tensor(values, [B, N, 3, H, d]);
              qkv.requiresGrad = true;
              const y = attend(qkv, { ...pattern, keyMask: gpu.tensor(keyMask, [B, N]) });
              const output = gpu.readLater(y);
              const [gradient] = tape.backward(y, gpu.tensor(upstream, y.shape), [qkv]);
              return [output, gpu.readLater(gradient!)];
            })
          );
          gpu.submit();
          const [output, gradient] = await Promise.all(later.map((x) => x.value)) as Float32Array[];
          assertClose("output", output, given.output.data, { relative: 2e-5 });
          assertClose("gradient", gradient, given.qkv_gradient.data, { relative: 1e-4 });
        },
      );
    }
  }
}
