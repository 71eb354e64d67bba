import type { ReportInput } from "../../harness/contract.ts";

export type Section = ReportInput["sections"][number];
export type Table = NonNullable<Section["tables"]>[number];

/** A share as per cent; a dash where it is not a number. */
export function percent(value: number, digits = 1): string {
  return Number.isFinite(value) ? `${(100 * value).toFixed(digits)} %` : "–";
}

/** A difference of shares in percentage points, with its sign. */
export function signed(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return "–";
  return `${value < 0 ? "−" : "+"}${(100 * Math.abs(value)).toFixed(1)} pp`;
}
