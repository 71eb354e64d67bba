import type { Audit } from "../schema/cell.ts";

/** Outcome of one comparison run inside an audit. */
export interface Evidence {
  /** Number of values compared. */
  readonly n: number;
  /** Worst value found. NaN (a comparison that met one) never passes. */
  readonly statistic: number;
}

export interface AuditFacts {
  readonly id: string;
  /** Variant or part that was audited. */
  readonly subject: string;
  readonly evidence: Evidence;
  /** Largest statistic that still holds. */
  readonly threshold: number;
  /** For each planted fault, the evidence the audit found against it. */
  readonly canaries: readonly Evidence[];
  /** What was compared, one clause; the finding is added. */
  readonly compared: string;
}

/**
 * Turns evidence into an audit with power: nothing compared, or a planted fault that passed, makes
 * it invalid, whatever the statistic says.
 */
export function makeAudit(facts: AuditFacts): Audit {
  const { evidence, threshold } = facts;
  const passes = (found: Evidence) => found.n > 0 && found.statistic <= threshold;
  const caught = facts.canaries.filter((found) => found.n > 0 && !passes(found)).length;
  const status = evidence.n === 0 || facts.canaries.length === 0 ||
      caught < facts.canaries.length
    ? "invalid"
    : passes(evidence)
    ? "ok"
    : "red";
  const finding = evidence.n === 0
    ? "nothing was compared"
    : caught < facts.canaries.length || facts.canaries.length === 0
    ? `caught only ${caught} of ${facts.canaries.length} planted faults`
    : `worst ${shorten(evidence.statistic)}, bound ${shorten(threshold)}`;
  return {
    id: facts.id,
    subject: facts.subject,
    n: evidence.n,
    statistic: Number.isFinite(evidence.statistic) ? evidence.statistic : null,
    threshold,
    canaries: [caught, facts.canaries.length],
    status,
    detail: `${facts.compared}: ${finding}`,
  };
}

function shorten(value: number): string {
  return String(Number(value.toPrecision(3)));
}
