/**
 * Truncation of token ids: policies, score dictionaries, tf-idf and checks for leakage. Plain arrays in, plain arrays out.
 * @module
 */
export * from "./agreement.ts";
export * from "./document_frequencies.ts";
export {
  type PolicyInputs,
  type ScoreTable,
  TRUNCATION_POLICIES,
  type TruncationPolicy,
} from "./policies.ts";
export * from "./token_scores.ts";
export * from "./truncate.ts";
