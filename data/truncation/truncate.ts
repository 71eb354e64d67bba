/**
 * Truncation of token ids to a budget.
 * @module
 */

import { type PolicyInputs, positionsToRemove, type TruncationPolicy } from "./policies.ts";

/** Arrays of token ids. */
export type IdArray = number[] | Int32Array | Uint32Array | Uint16Array;

/** Options of {@link truncate}. */
export interface TruncateOptions extends PolicyInputs {
  readonly policy: TruncationPolicy;
  /** Most tokens that stay, special ones included. */
  readonly budget: number;
  /** Ids that are never removed, such as [CLS] and [SEP]. @default {none} */
  readonly specials?: Iterable<number>;
}

/**
 * Positions that stay, ascending. All of them where the document fits the budget.
 *
 * @throws {RangeError} If the input is empty, the budget is no whole number of at least 1 or leaves no room beside the special tokens,
 *   or a score is not finite.
 * @throws {TypeError} If what the policy needs is missing or of the wrong kind.
 */
export function keptPositions(ids: ArrayLike<number>, options: TruncateOptions): Int32Array {
  const { policy, budget, specials = [] } = options;
  const all = Int32Array.from({ length: ids.length }, (_, i) => i);
  if (ids.length === 0) {
    throw new RangeError("Cannot truncate: the input is empty, expected at least one token");
  }
  if (!Number.isInteger(budget) || budget < 1) {
    throw new RangeError(
      `Cannot truncate: budget is ${budget}, expected a whole number of at least 1`,
    );
  }
  const special = new Set(specials);
  const removable = [...all].filter((i) => !special.has(ids[i]));
  const protectedTokens = ids.length - removable.length;
  if (removable.length > 0 && budget <= protectedTokens) {
    throw new RangeError(
      `Cannot truncate: budget is ${budget} and the input has ${protectedTokens} special tokens, ` +
        "expected a budget above their number",
    );
  }
  const count = ids.length - budget;
  // Run for documents that fit too: a wrong policy or wrong scores must not wait for a long one.
  const removed = new Set(
    positionsToRemove(
      policy,
      ids,
      removable,
      Math.max(0, Math.min(count, removable.length)),
      options,
    ),
  );
  return removed.size === 0 ? all : all.filter((i) => !removed.has(i));
}

/**
 * Shortens a document to at most `budget` tokens; the rest keeps its order and special tokens always stay.
 *
 * @returns An array of the same kind; a copy even where nothing was removed.
 *
 * @example
 * ```ts
 * import { truncate } from "./truncate.ts";
 * truncate([1, 7, 8, 9, 2], { policy: "right", budget: 4, specials: [1, 2] }); // [1, 7, 8, 2]
 * ```
 */
export function truncate<T extends IdArray>(ids: T, options: TruncateOptions): T {
  const kept = keptPositions(ids, options);
  const values = Array.from(kept, (i) => ids[i]);
  if (Array.isArray(ids)) return values as T;
  return new (ids.constructor as new (values: number[]) => T)(values);
}

/** A padded batch: ids [B, T] and a mask of the same shape, 1 for real tokens. */
export interface IdBatch {
  readonly ids: Int32Array;
  readonly mask: Int32Array;
  readonly batch: number;
  readonly length: number;
}

/** Options of {@link truncateBatch}. */
export interface TruncateBatchOptions extends Omit<TruncateOptions, "budget" | "scores"> {
  /** Most tokens of a row, or a rule from its number of real tokens. */
  readonly budget: number | ((tokens: number) => number);
  /** A table by token id, or for `contextual` one score per place [B, T]. */
  readonly scores?: TruncateOptions["scores"];
  /** Id that fills short rows. @default {0} */
  readonly padId?: number;
}

/** {@link truncate} for every row of a padded batch; rows of padding alone stay empty. The result is as long as its longest row. */
export function truncateBatch(input: IdBatch, options: TruncateBatchOptions): IdBatch {
  const { ids, mask, batch, length } = input;
  const { budget, scores, padId = 0, ...rest } = options;
  if (ids.length !== batch * length || mask.length !== ids.length) {
    throw new RangeError(
      `Cannot truncate a batch: ${ids.length} ids and ${mask.length} mask values, expected ${batch} x ${length}`,
    );
  }
  const rows = Array.from({ length: batch }, (_, b) => {
    const places = Array.from({ length }, (_, t) => b * length + t).filter((at) => mask[at] !== 0);
    if (places.length === 0) return [];
    const row = places.map((at) => ids[at]);
    const kept = keptPositions(row, {
      ...rest,
      stream: (rest.stream ?? 0) + b,
      budget: typeof budget === "function" ? budget(row.length) : budget,
      scores: scores && !("get" in scores) ? places.map((at) => scores[at]) : scores,
    });
    return Array.from(kept, (i) => row[i]);
  });
  return padRows(rows, padId);
}

/** Rows of different lengths as a padded batch. */
export function padRows(
  rows: readonly ArrayLike<number>[],
  padId: number,
  length = Math.max(1, ...rows.map((row) => row.length)),
): IdBatch {
  const ids = new Int32Array(rows.length * length).fill(padId);
  const mask = new Int32Array(rows.length * length);
  rows.forEach((row, b) => {
    ids.set(row, b * length);
    mask.fill(1, b * length, b * length + row.length);
  });
  return { ids, mask, batch: rows.length, length };
}

/**
 * Budget that keeps a share of a document's own length, at least one token beside the special ones.
 *
 * @param share Share of the tokens that stays, in (0, 1].
 */
export function budgetForShare(share: number, tokens: number, specials: number): number {
  if (!(share > 0 && share <= 1)) {
    throw new RangeError(
      `Cannot truncate: the share kept is ${share}, expected more than 0 and at most 1`,
    );
  }
  return Math.max(specials + 1, Math.round(share * tokens));
}
