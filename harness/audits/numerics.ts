import type { Audit } from "../schema/cell.ts";
import { relativeError, type Values, worstOf } from "./differences.ts";
import { makeAudit } from "./make_audit.ts";

/** One named pair of tensors to compare. */
export interface NamedPair {
  readonly name: string;
  readonly got: Values;
  readonly want: Values;
}

export interface ToleranceOptions {
  readonly subject: string;
  readonly pairs: readonly NamedPair[];
  /** Largest error, relative to the root mean square of the wanted tensor. */
  readonly threshold: number;
}

/**
 * Numerics: values in f32 against a reference computed in f64. The planted faults are one wrong
 * value and one lost value.
 */
export function auditNumerics(options: ToleranceOptions): Audit {
  return auditWithin("numerics", options, "f32 against an f64 reference");
}

/**
 * Parity: a fused form against the naive one: outputs, state and every gradient. A speed is not
 * reported for a variant whose parity audit is not ok.
 */
export function auditParity(options: ToleranceOptions): Audit {
  return auditWithin("parity", options, "fused against naive");
}

function auditWithin(id: string, options: ToleranceOptions, what: string): Audit {
  const { pairs, threshold } = options;
  const found = pairs.map((pair) => ({ pair, evidence: relativeError(pair.got, pair.want) }));
  const worst = found.reduce(
    (a, b) => a && !(b.evidence.statistic > a.evidence.statistic) ? a : b,
    found.at(0),
  );
  const canaries = pairs.filter((pair) => pair.want.length > 0).flatMap((pair) => [
    relativeError(oneWrong(pair.want, threshold), pair.want),
    relativeError(lostValue(pair.want), pair.want),
  ]);
  return makeAudit({
    id,
    subject: options.subject,
    evidence: worstOf(found.map((item) => item.evidence)),
    threshold,
    canaries,
    compared: `${what}, ${pairs.map((pair) => pair.name).join(", ")}` +
      (worst ? ` (worst: ${worst.pair.name})` : "") + ", error relative to the RMS",
  });
}

/** The wanted tensor with one value moved by four times the tolerated error. */
function oneWrong(want: Values, threshold: number): Float64Array {
  const copy = Float64Array.from(want);
  const rms = Math.sqrt(copy.reduce((sum, value) => sum + value * value, 0) / copy.length);
  copy[copy.length >> 1] += 4 * threshold * Math.max(rms, 1e-30);
  return copy;
}

/** The wanted tensor without its largest value: a bound of 1 or more would not see it. */
function lostValue(want: Values): Float64Array {
  const copy = Float64Array.from(want);
  let largest = 0;
  for (let i = 1; i < copy.length; i++) {
    if (Math.abs(copy[i]) > Math.abs(copy[largest])) largest = i;
  }
  // A tensor of zeros has nothing to lose; a stray value is then the visible fault.
  copy[largest] = copy[largest] === 0 ? 1 : 0;
  return copy;
}
