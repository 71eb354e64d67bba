import { makeAudit } from "../../harness/audits/mod.ts";
import type { Audit } from "../../harness/contract.ts";
import type { CaseOutputs } from "./adapter.ts";
import type { ReferenceSample } from "./reference.ts";

/** Largest relative difference (root mean square) of an output from the float64 sample or from our output. */
export const OUTPUT_TOLERANCE = 1e-3;
/** Largest difference of a loss over the first steps, in nats; the bound. */
export const LOSS_TOLERANCE = 1e-3;

/** Root mean square of the difference over the root mean square of the reference; NaN where a value is missing or not finite. */
export function relativeDifference(
  found: (index: number) => number,
  expected: ArrayLike<number>,
  indices?: readonly number[],
): number {
  let difference = 0;
  let size = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (found(indices ? indices[i] : i) - expected[i]) ** 2;
    size += expected[i] ** 2;
  }
  // A reference of zeros (there is none among the cases) leaves the absolute difference.
  return Math.sqrt(difference / Math.max(size, Number.MIN_VALUE));
}

/** What an output is held against. */
export interface Expected {
  /** Float64 values at sampled places. */
  readonly samples: Readonly<Record<string, ReferenceSample>>;
  /** Our outputs, in full, for a peer; missing for ourselves. */
  readonly ours?: CaseOutputs;
}

/**
 * Audits one library's outputs: every output against the float64 sample where there is one, and against ours in full. An output of
 * zeros, what some libraries give silently beyond a limit, is the planted fault that must be caught.
 *
 * @param subject Name of the library.
 */
export function auditOutputs(subject: string, outputs: CaseOutputs, expected: Expected): Audit {
  let n = 0;
  let worst = 0;
  let canary = Infinity;
  const compared: string[] = [];
  const add = (
    name: string,
    against: string,
    values: ArrayLike<number>,
    indices?: readonly number[],
  ) => {
    const found = outputs[name];
    const size = indices ? found?.length : values.length;
    const difference = found === undefined || found.length !== size
      ? NaN
      : relativeDifference((index) => found[index], values, indices);
    n += values.length;
    // NaN must win over every number, so that a missing output cannot pass.
    worst = Number.isNaN(worst) || Number.isNaN(difference) ? NaN : Math.max(worst, difference);
    canary = Math.min(canary, relativeDifference(() => 0, values));
    compared.push(`${name} with ${against}`);
  };
  for (const [name, { indices, values }] of Object.entries(expected.samples)) {
    add(name, "float64", values, indices);
  }
  for (const [name, values] of Object.entries(expected.ours ?? {})) add(name, "ours", values);
  return makeAudit({
    id: "parity",
    subject,
    evidence: { n, statistic: worst },
    threshold: OUTPUT_TOLERANCE,
    canaries: n === 0 ? [] : [{ n, statistic: canary }],
    compared: `relative difference of ${compared.join(", ") || "nothing"}`,
  });
}

/** Largest difference of a logit between libraries; the bound. */
export const LOGIT_TOLERANCE = 1e-3;

/**
 * Audits logits [T, V] of a model against another library's; logits one position late are the planted fault.
 *
 * @param other Name of the library whose logits are `expected`.
 */
export function auditLogits(
  subject: string,
  logits: Float32Array | undefined,
  other: string,
  expected: Float32Array,
  vocabulary: number,
): Audit {
  const n = expected.length;
  const largest = (found: Float32Array, from: number) => {
    let worst = 0;
    for (let i = from; i < n; i++) {
      const difference = Math.abs(found[i - from] - expected[i]);
      if (!(difference <= worst)) worst = difference;
      if (Number.isNaN(difference)) return NaN;
    }
    return worst;
  };
  return makeAudit({
    id: "parity",
    subject,
    evidence: { n, statistic: logits?.length === n ? largest(logits, 0) : NaN },
    threshold: LOGIT_TOLERANCE,
    canaries: [{ n: n - vocabulary, statistic: largest(expected, vocabulary) }],
    compared: `logits with ${other}`,
  });
}

/**
 * Audits a loss curve against another library's; a curve that lags one step behind is the planted fault.
 *
 * @param other Name of the library whose losses are `expected`.
 */
export function auditLosses(
  subject: string,
  losses: Float32Array,
  other: string,
  expected: Float32Array,
): Audit {
  const largest = (of: (i: number) => number, from = 0) => {
    let worst = losses.length === expected.length ? 0 : NaN;
    for (let i = from; i < expected.length; i++) {
      const difference = Math.abs(of(i) - expected[i]);
      worst = Number.isNaN(difference) ? NaN : Math.max(worst, difference);
    }
    return worst;
  };
  return makeAudit({
    id: "parity",
    subject,
    evidence: { n: expected.length, statistic: largest((i) => losses[i]) },
    threshold: LOSS_TOLERANCE,
    canaries: [{ n: expected.length - 1, statistic: largest((i) => expected[i - 1], 1) }],
    compared: `losses of the first ${expected.length} steps with ${other}`,
  });
}
