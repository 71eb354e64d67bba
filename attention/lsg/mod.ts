/**
 * LSG attention: local blocks, sparse keys and globals (Condevaux and Harispe 2022): the fused form linear in the length, the naive
 * dense-masked form, every selection of sparse keys, and its arithmetic. See README.md.
 *
 * @module
 */
export { lsgFlops, type LsgFlopsOptions } from "./flops.ts";
export { fusedLsgAttention, type FusedLsgOptions, runLsgSelection } from "./fused.ts";
export { naiveLsgAttention } from "./naive.ts";
export {
  attendsFully,
  checkLsgLength,
  checkLsgPattern,
  type LsgAttentionOptions,
  type LsgParity,
  type LsgPattern,
  LsgPatternError,
  MAX_GLOBALS,
  selectionOf,
  SPARSITY_TYPES,
  type SparsityType,
} from "./options.ts";
export { lsgSlotPattern } from "./pattern.ts";
export { lshPlanes, lshRounds, type PlaneSize } from "./planes.ts";
export { referenceLsg, type ReferenceLsgInput } from "./reference.ts";
export type { ReferenceLsgFault } from "./reference_slots.ts";
