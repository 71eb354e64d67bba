import assert from "node:assert/strict";
import { leapImportance, referenceLeap } from "../../../attention/leap/mod.ts";
import { assertClose } from "../../_helpers/assert_close.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";
import { gpuOptions, leapInput, paddingMask, VARIANTS } from "./_cases.ts";

for (const variant of VARIANTS) {
  gpuTest(`leapImportance() ${variant} shares out a query's window`, async () => {
    const [B, T, H, d] = [2, 40, 3, 8];
    for (const window of [1, 7, 64]) {
      const input = leapInput({ variant, B, T, H, d, window, keyMask: paddingMask(B, T) });
      const { e, z } = referenceLeap(input);
      for (const query of [undefined, 12, "own"] as const) {
        const later = gpu.scope(() => {
          const packed = gpu.tensor(input.packed, [B, T, 4, H, d]);
          return gpu.readLater(leapImportance(packed, { ...gpuOptions(input), query }));
        });
        gpu.submit();
        const expected = Float64Array.from({ length: B * H * T }, (_, i) => {
          const [b, h, t] = [Math.floor(i / (H * T)), Math.floor(i / T) % H, i % T];
          const at = query === "own" ? t : query ?? T - 1;
          if (t > at || t <= at - window) return 0;
          const sum = z[(b * T + at) * H + h] + (variant === "2022-08" ? 0 : 1e-5);
          return sum > 0 ? e[(b * T + t) * H + h] / sum : 0;
        });
        const name = `w=${window} query=${query}`;
        assertClose(name, await later.value, expected, { relative: 2e-6 });
      }
    }
  });
}

gpuTest("leapImportance() rejects a query that is no token", () => {
  gpu.scope(() => {
    const packed = gpu.zeros([1, 5, 4, 2, 4]);
    for (const query of [5, -1, 1.5]) {
      assert.throws(
        () => leapImportance(packed, { variant: "1.0", window: 2, query }),
        /expected "own" or 0 to 4/,
      );
    }
  });
});
