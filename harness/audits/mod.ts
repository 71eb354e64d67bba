/**
 * Audits any benchmark can run. Each plants faults it must catch; one that misses a fault, or
 * compares nothing, is invalid rather than green.
 * @module
 */
export {
  auditCausality,
  CAUSALITY_POSITIONS,
  type CausalityOptions,
  type TokensToLogits,
} from "./causality.ts";
export { auditDeterminism, type DeterminismOptions } from "./determinism.ts";
export {
  bitDifferences,
  joinArrays,
  largestDifference,
  relativeError,
  type Values,
  worstOf,
} from "./differences.ts";
export { auditGradients, type GradientOptions } from "./gradients.ts";
export { type AuditFacts, type Evidence, makeAudit } from "./make_audit.ts";
export { auditNumerics, auditParity, type NamedPair, type ToleranceOptions } from "./numerics.ts";
