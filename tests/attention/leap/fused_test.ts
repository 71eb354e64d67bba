import { leapAttention } from "../../../attention/leap/mod.ts";
import { referenceLeap } from "../../../attention/leap/reference.ts";
import { referenceLeapGradient } from "../../../attention/leap/reference_gradient.ts";
import { assertClose } from "../../_helpers/assert_close.ts";
import { gpuTest } from "../../_helpers/gpu.ts";
import { randomArray } from "../../_helpers/gradients.ts";
import { type LeapCase, leapInput, runLeap, VARIANTS } from "./_cases.ts";

/** Output and packed gradient against float64. */
async function compare(c: LeapCase): Promise<void> {
  const input = leapInput(c);
  const upstream = randomArray(c.B * c.T * c.H * c.d, 2);
  const { output, gradient } = await runLeap(input, upstream, leapAttention);
  const name = `${c.variant} T=${c.T} w=${c.window} d=${c.d}`;
  assertClose(`${name} output`, output, referenceLeap(input).output, { relative: 2e-6 });
  assertClose(`${name} gradient`, gradient, referenceLeapGradient(input, upstream), {
    relative: 1e-5,
  });
}

for (const variant of VARIANTS) {
  for (const [T, d] of [[1, 4], [7, 6], [33, 16], [130, 32], [257, 4], [40, 5]]) {
    gpuTest(
      `leapAttention() ${variant} T=${T} d=${d} equals float64 for every window`,
      async () => {
        for (const window of new Set([1, 3, 4, 16, 70, 100, T - 1, T, T + 9])) {
          if (window >= 1) await compare({ variant, B: 2, T, H: 3, d, window });
        }
      },
    );
  }
}
