import { referenceLeap, referenceLeapGradient } from "../../../attention/leap/mod.ts";
import { assertClose } from "../../_helpers/assert_close.ts";
import { label, leapInput, upstreamOf, VARIANTS } from "./_cases.ts";

for (
  const { variant, rescale } of [
    ...VARIANTS.map((variant) => ({ variant, rescale: undefined })),
    { variant: "1.0.1" as const, rescale: null },
  ]
) {
  Deno.test(`referenceLeapGradient() ${variant} ${rescale === null ? "without rescale " : ""}equals central differences`, () => {
    for (const window of [1, 3, 7]) {
      for (const dropout of [undefined, { p: 0.25, seed: 3, stream: 5 }]) {
        const keyMask = [1, 1, 0, 1, 1, 0, 1, 0, 0, 1, 1, 1, 1, 1];
        const c = { variant, rescale, B: 2, T: 7, H: 2, d: 5, window, dropout, keyMask };
        const packed = Float64Array.from(leapInput(c).packed);
        const upstream = upstreamOf(c);
        const loss = () =>
          referenceLeap({ ...c, packed }).output.reduce((sum, y, i) => sum + y * upstream[i], 0);
        const numeric = packed.map((x, i) => {
          const h = 1e-5;
          packed[i] = x + h;
          const up = loss();
          packed[i] = x - h;
          const down = loss();
          packed[i] = x;
          return (up - down) / (2 * h);
        });
        assertClose(label(c), referenceLeapGradient({ ...c, packed }, upstream), numeric, {
          relative: 1e-8,
        });
      }
    }
  });
}
