import type { BlockSparseOptions } from "../block_sparse/attention.ts";

/** How LSG chooses its sparse keys (lsg.md, section 2). */
export const SPARSITY_TYPES = [
  "none",
  "norm",
  "pooling",
  "lsh",
  "stride",
  "block_stride",
  "bos_pooling",
] as const;

/**
 * - `none`: no sparse keys.
 * - `norm`: the keys of largest norm of each chunk.
 * - `pooling`: means of `sparsityFactor` neighbouring keys and values.
 * - `lsh`: centroids of the keys that hash alike (random rotations).
 * - `stride`, `block_stride`: every so many tokens, or a run of each block; shifted from head to head.
 * - `bos_pooling`: as pooling, weighted by the attention of the first text token's query.
 */
export type SparsityType = typeof SPARSITY_TYPES[number];

/** The pattern of LSG attention; names as in the published configuration. */
export interface LsgPattern {
  /** Leading positions of the sequence that see and are seen by all, 1 to 512. */
  readonly globals: number;
  /** Text tokens per block; a query sees its own block and both neighbours. */
  readonly blockSize: number;
  /** Sparse keys on each side of the neighbours; 0 for none. */
  readonly sparseBlockSize: number;
  /** Tokens that one sparse key stands for; 0 for none, 1 takes every token. */
  readonly sparsityFactor: number;
  readonly sparsityType: SparsityType;
  /** Queries see the block before and their own past; globals are a learned prefix. @default {false} */
  readonly causal?: boolean;
  /** Nobody sees text token 0 as a key (a global stands for it). @default {false} */
  readonly maskFirstToken?: boolean;
  /** Accept any length; else a text over two blocks must be whole blocks. @default {true} */
  readonly adaptive?: boolean;
  /** Hashing rounds before the last one of `lsh`. @default {1} */
  readonly lshPreRounds?: number;
  /** Seed of the rotations of `lsh`. @default {0} */
  readonly lshSeed?: number;
  /** Directions of every round of `lsh`, [H, m, d], instead of those of the seed; keep the arrays, they are uploaded once. */
  readonly lshPlanes?: readonly Float32Array[];
  /** The reference's own faults, for comparison with it; all off by default. */
  readonly parity?: LsgParity;
}

/** Faults of the reference that can be switched on (lsg.md, sections 1.5 and 6). */
export interface LsgParity {
  /** `bos_pooling`: groups that are all padding are visible, as plain means. */
  readonly bosPoolingMaskBug?: boolean;
  /** One sparse key per block: the right slice starts at the query's own block. */
  readonly oddRightOffset?: boolean;
}

/** Options of LSG attention. */
export interface LsgAttentionOptions extends LsgPattern, BlockSparseOptions {}

/** Most globals: rows of the published table. */
export const MAX_GLOBALS = 512;

/** How the sparse keys are really made: `all` is factor 1. */
export type SparseSelection = SparsityType | "all";

/** The selection a pattern comes to: factor 1 takes all tokens, `lsh` with one key per chunk is `bos_pooling`, 0 switches off. */
export function selectionOf(
  { sparseBlockSize, sparsityFactor, sparsityType }: LsgPattern,
): SparseSelection {
  if (sparsityType === "none" || sparseBlockSize === 0 || sparsityFactor === 0) return "none";
  if (sparsityFactor === 1) return "all";
  return sparsityType === "lsh" && sparsityFactor === sparseBlockSize
    ? "bos_pooling"
    : sparsityType;
}

/** Tokens among which `norm` and `lsh` choose. */
export const chunkLength = ({ blockSize, sparseBlockSize }: LsgPattern): number =>
  Math.min(blockSize, sparseBlockSize);

/** True where a text of `T` tokens is short enough for ordinary attention. */
export const attendsFully = ({ blockSize }: LsgPattern, T: number): boolean => T <= 2 * blockSize;

/** A pattern that breaks a rule: which field, and what is wrong with it, so that callers can name the field as their users know it. */
export class LsgPatternError extends RangeError {
  constructor(readonly field: string, readonly problem: string) {
    super(`Cannot attend with LSG: ${field} is ${problem}`);
  }
}

const requireWhole = (field: string, value: number, least: number, most = Infinity) => {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new LsgPatternError(
    field,
    `${value}, expected a whole number of at least ${least}` +
      (most < Infinity ? ` and at most ${most}` : ""),
  );
};

/**
 * Checks a pattern.
 *
 * @throws {LsgPatternError} If a value is out of range, or if blocks, chunks and factor do not divide as the selection needs.
 */
export function checkLsgPattern(pattern: LsgPattern): void {
  const { blockSize: B, sparseBlockSize: S, sparsityFactor: f, sparsityType, parity } = pattern;
  requireWhole("globals", pattern.globals, 1, MAX_GLOBALS);
  requireWhole("blockSize", B, 1);
  requireWhole("sparseBlockSize", S, 0);
  requireWhole("sparsityFactor", f, 0);
  requireWhole("lshPreRounds", pattern.lshPreRounds ?? 1, 0);
  requireWhole("lshSeed", pattern.lshSeed ?? 0, 0, 0xffffffff);
  if (!SPARSITY_TYPES.includes(sparsityType)) {
    throw new LsgPatternError(
      "sparsityType",
      `${sparsityType}, expected one of ${SPARSITY_TYPES.join(", ")}`,
    );
  }
  const selection = selectionOf(pattern);
  if (selection === "none") return;
  if (B % f !== 0) {
    throw new LsgPatternError("sparsityFactor", `${f}, expected a divisor of blockSize ${B}`);
  }
  if (parity?.oddRightOffset && B !== f) {
    throw new LsgPatternError(
      "parity.oddRightOffset",
      `set with ${
        B / f
      } sparse keys per block, expected 1 (sparsityFactor equal to blockSize), where the reference ` +
        "has that fault",
    );
  }
  if (selection !== "norm" && selection !== "lsh") return;
  if (S < B && (B % S !== 0 || S % f !== 0)) {
    throw new LsgPatternError(
      "sparseBlockSize",
      `${S}, expected for ${selection} a divisor of blockSize ${B} and a multiple of sparsityFactor ${f}, or at least ${B}`,
    );
  }
  if (selection === "lsh" && chunkLength(pattern) / f < 2) {
    throw new LsgPatternError(
      "sparsityFactor",
      `${f}, expected for lsh at most half of ${
        chunkLength(pattern)
      }, the smaller of blockSize and sparseBlockSize, so that a chunk has two buckets`,
    );
  }
}

/**
 * Checks a pattern against a text of `T` tokens.
 *
 * @throws {RangeError} As `checkLsgPattern`, or if the text is no whole number of blocks where it has to be.
 */
export function checkLsgLength(pattern: LsgPattern, T: number): void {
  checkLsgPattern(pattern);
  const whole = T % pattern.blockSize === 0 || attendsFully(pattern, T);
  const showsPadding = pattern.parity?.bosPoolingMaskBug && selectionOf(pattern) === "bos_pooling";
  if (whole || (pattern.adaptive !== false && !showsPadding)) return;
  throw new RangeError(
    `Cannot attend with LSG: the text has ${T} tokens, expected a multiple of blockSize ${pattern.blockSize} ` +
      (pattern.adaptive === false
        ? "with adaptive switched off; switch it on or pad the text"
        : "where parity.bosPoolingMaskBug makes padding visible; pad the text"),
  );
}
