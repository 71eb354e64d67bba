import type { Gpu } from "../gpu.ts";
import type { RowVariant } from "../kernels/rows.ts";

/** Key in `gpu.choices` that forces a variant of the row kernels: "thread", "8" or "64". */
export const ROW_VARIANT_CHOICE = "rows";

/** The way to share out rows on this adapter (softmax, normalisations). */
export function rowVariant(gpu: Gpu, rows: number, columns: number): RowVariant {
  const forced = gpu.choices.get(ROW_VARIANT_CHOICE);
  if (forced === "thread") return forced;
  if (forced === "8" || forced === "64") return Number(forced) as RowVariant;
  if (forced !== undefined) {
    throw new RangeError(
      `Cannot choose a row kernel: gpu.choices "${ROW_VARIANT_CHOICE}" is ${forced}, expected thread, 8 or 64`,
    );
  }
  if (gpu.info.class === "hardware") return 64;
  // Fewer rows than this leave cores of a software adapter idle; long rows then pay for the barriers.
  return rows < 32 && columns >= 1024 ? 8 : "thread";
}
