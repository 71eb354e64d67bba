import type { Audit, Cell, Reason } from "../schema/cell.ts";

/** Audits that must be ok before a speed of the audited variant is reported. */
export const SPEED_GATES: readonly string[] = ["parity"];

/**
 * Rows with timings that must not be reported become invalid, and say why: the parity audit of the
 * variant is not ok, or a sample is shorter than the work can take. The samples stay in the file; no
 * report or comparison uses them.
 */
export function applyGates(cells: readonly Cell[], audits: readonly Audit[]): Cell[] {
  return cells.map((cell) => {
    if (cell.status !== "ok" || cell.timings.length === 0) return cell;
    const reason = redGate(cell, audits) ?? implausibleTime(cell);
    return reason === null
      ? cell
      : { ...cell, status: "invalid", reasons: [...cell.reasons, reason] };
  });
}

function redGate(cell: Cell, audits: readonly Audit[]): Reason | null {
  const failed = [...cell.audits, ...audits.filter((audit) => audit.subject === cell.variant)]
    .find((audit) => SPEED_GATES.includes(audit.id) && audit.status !== "ok");
  if (!failed) return null;
  return {
    code: failed.status === "red" ? "parity-red" : "audit-invalid",
    message: `no speed is reported: ${failed.id} is ${failed.status} (${failed.detail})`,
  };
}

function implausibleTime(cell: Cell): Reason | null {
  const timing = cell.timings.find((item) => item.flags.includes("implausible"));
  return timing === undefined ? null : {
    code: "implausible-time",
    message: `no speed is reported: a sample of ${timing.phase} is shorter than its work can take`,
  };
}
