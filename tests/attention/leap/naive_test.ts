import { fusedLeapAttention, naiveLeapAttention } from "../../../attention/leap/mod.ts";
import { assertClose } from "../../_helpers/assert_close.ts";
import { gpuTest } from "../../_helpers/gpu.ts";
import {
  assertGradientClose,
  label,
  leapInput,
  paddingMask,
  runLeap,
  upstreamOf,
  VARIANTS,
} from "./_cases.ts";

for (const variant of VARIANTS) {
  for (const windowSum of ["segmented", "difference"] as const) {
    gpuTest(`naiveLeapAttention() ${variant} ${windowSum} equals the fused form`, async () => {
      const dropout = { p: 0.2, seed: 1, stream: 9 };
      const keyMask = paddingMask(2, 33);
      // Weights up to e^13 (dropout raises the logits of 1.0.1 twice) leave nothing of a window of small ones in a difference of sums.
      const rescale = variant === "1.0.1" && windowSum === "difference" ? 2 : undefined;
      for (const window of [1, 4, 33, 40]) {
        for (const extra of [{}, { dropout }, { keyMask }]) {
          // A difference of sums leaves noise where a window holds padding only: 0 / 0 is not comparable there.
          if (extra.keyMask && windowSum === "difference" && window < 33) continue;
          const c = { variant, rescale, B: 2, T: 33, H: 2, d: 6, window, ...extra };
          const input = leapInput(c);
          const upstream = upstreamOf(c);
          const fused = await runLeap(input, upstream, fusedLeapAttention);
          const naive = await runLeap(
            input,
            upstream,
            (packed, options) => naiveLeapAttention(packed, { ...options, windowSum }),
          );
          // The difference of running sums loses digits already over 33 tokens (see windowed_sum_test.ts).
          const relative = windowSum === "segmented" ? 1e-5 : 1e-2;
          assertClose(`${label(c)} output`, naive.output, fused.output, { relative });
          if (windowSum === "segmented") {
            assertGradientClose(label(c), naive.gradient, fused.gradient, c, relative);
          }
        }
      }
    });
  }
}
