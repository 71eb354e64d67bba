import type { Audit, Cell } from "../schema/cell.ts";

/** Audits that must be ok before a speed of the audited variant is reported. */
export const SPEED_GATES: readonly string[] = ["parity"];

/**
 * Rows with timings of a variant whose parity audit is not ok become invalid, and say why. The
 * samples stay in the file; no report or comparison uses them.
 */
export function applyGates(cells: readonly Cell[], audits: readonly Audit[]): Cell[] {
  return cells.map((cell) => {
    if (cell.status !== "ok" || cell.timings.length === 0) return cell;
    const failed = [...cell.audits, ...audits.filter((audit) => audit.subject === cell.variant)]
      .find((audit) => SPEED_GATES.includes(audit.id) && audit.status !== "ok");
    if (!failed) return cell;
    const code = failed.status === "red" ? "parity-red" as const : "audit-invalid" as const;
    const message = `no speed is reported: ${failed.id} is ${failed.status} (${failed.detail})`;
    return { ...cell, status: "invalid", reasons: [...cell.reasons, { code, message }] };
  });
}
