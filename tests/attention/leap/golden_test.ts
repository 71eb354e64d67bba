import assert from "node:assert/strict";
import {
  fusedLeapAttention,
  type LeapVariant,
  naiveLeapAttention,
} from "../../../attention/leap/mod.ts";
import { assertClose } from "../../_helpers/assert_close.ts";
import { gpuTest } from "../../_helpers/gpu.ts";
import { assertGradientClose, label, runLeap } from "./_cases.ts";

interface GoldenTensor {
  readonly shape: number[];
  readonly data: number[];
}

interface GoldenCase {
  readonly T: number;
  readonly inputs: Record<string, GoldenTensor>;
  readonly upstream: GoldenTensor;
  readonly attention_mask?: GoldenTensor;
  readonly windows: readonly {
    readonly window: number;
    readonly rescale: number | null;
    readonly same_as_window?: number;
    readonly output: GoldenTensor;
    readonly gradients: Record<string, GoldenTensor>;
  }[];
}

/** Packs four tensors [B, T, H, d] to [B, T, 4, H, d]. */
function pack(slots: Record<string, GoldenTensor>): Float32Array {
  const parts = Object.values(slots);
  const [B, T, H, d] = parts[0].shape;
  const row = H * d;
  return Float32Array.from({ length: B * T * 4 * row }, (_, i) => {
    const token = Math.floor(i / (4 * row));
    return parts[Math.floor(i / row) % 4].data[token * row + i % row];
  });
}

const FILES: Record<LeapVariant, string> = { "2022-08": "2022_08", "1.0": "1_0", "1.0.1": "1_0_1" };

for (
  const [variant, attention] of Object.keys(FILES).flatMap((v) =>
    [fusedLeapAttention, naiveLeapAttention].map((form) => [v as LeapVariant, form] as const)
  )
) {
  gpuTest(`${attention.name}() ${variant} equals the golden values`, async () => {
    const file = FILES[variant];
    const url = new URL(`../../golden/leap_attention_${file}.json`, import.meta.url);
    const golden = JSON.parse(await Deno.readTextFile(url));
    assert.equal(golden.variant, variant);
    for (const [name, c] of Object.entries<GoldenCase>(golden.cases)) {
      const [B, T, H, d] = c.upstream.shape;
      for (const { window, rescale, same_as_window, ...own } of c.windows) {
        const expected = same_as_window === undefined
          ? own
          : c.windows.find((w) => w.window === same_as_window)!;
        const input = {
          variant,
          B,
          T,
          H,
          d,
          window,
          rescale,
          packed: pack(c.inputs),
          keyMask: c.attention_mask?.data,
        };
        const actual = await runLeap(
          input,
          Float32Array.from(c.upstream.data),
          attention,
        );
        const at = `${name} ${label(input)}`;
        assertClose(`${at} output`, actual.output, expected.output.data, { relative: 2e-6 });
        assertGradientClose(at, actual.gradient, pack(expected.gradients), input, 1e-5);
      }
    }
  });
}
