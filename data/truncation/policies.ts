/**
 * Which positions each truncation policy keeps.
 * @module
 */

import { random32 } from "../random.ts";
import type { DocumentFrequencies } from "./document_frequencies.ts";

/** Every policy of {@link truncate}. */
export const TRUNCATION_POLICIES = [
  "none",
  "right",
  "left",
  "middle",
  "random",
  "tf-idf",
  "type",
  "type-whole",
  "occurrence",
  "contextual",
] as const;

/**
 * - `none`: everything stays.
 * - `right`, `left`, `middle`: the right end, the left end or the middle goes; what stays is one piece, or head and tail.
 * - `random`: as many tokens at random, the same for the same seed and stream.
 * - `tf-idf`: the occurrences with the least tf-idf go.
 * - `type`: token types go in ascending order of their score, the last one only as far as needed, from the right.
 * - `type-whole`: as `type`, but a type goes with all its occurrences, so fewer tokens than the budget may stay (the original rule of
 *   attention-based truncation).
 * - `occurrence`: the occurrences whose token has the lowest score go.
 * - `contextual`: the positions with the lowest score in this very input go.
 */
export type TruncationPolicy = typeof TRUNCATION_POLICIES[number];

/** Mean score by token id, e.g. `TokenScores.table()`. A token without one takes the mean of all. */
export type ScoreTable = ReadonlyMap<number, number>;

/** What a policy needs besides the ids. */
export interface PolicyInputs {
  /** For `type`, `type-whole` and `occurrence`: score by token id. For `contextual`: one score per position. */
  readonly scores?: ScoreTable | ArrayLike<number>;
  /** For `tf-idf`: counted on the training documents. */
  readonly frequencies?: DocumentFrequencies;
  /** For `random`. @default {0} */
  readonly seed?: number;
  /** For `random`: another number for every document. @default {0} */
  readonly stream?: number;
}

/**
 * Positions to remove.
 *
 * @param ids The whole document.
 * @param removable Positions that may go, ascending.
 * @param count How many have to go, at most `removable.length`.
 */
export function positionsToRemove(
  policy: TruncationPolicy,
  ids: ArrayLike<number>,
  removable: readonly number[],
  count: number,
  inputs: PolicyInputs,
): number[] {
  const kept = removable.length - count;
  switch (policy) {
    case "none":
      return [];
    case "right":
      return removable.slice(kept);
    case "left":
      return removable.slice(0, count);
    case "middle":
      return removable.slice(Math.ceil(kept / 2), Math.ceil(kept / 2) + count);
    case "random": {
      const { seed = 0, stream = 0 } = inputs;
      return lowest(removable, count, (i) => random32(seed, stream, i));
    }
    case "tf-idf": {
      const weights = requireFrequencies(inputs).weights(ids);
      return lowest(removable, count, (i) => weights[i]);
    }
    case "occurrence": {
      const score = lookUp(requireTable(policy, inputs));
      return lowest(removable, count, (i) => score(ids[i]));
    }
    case "type":
    case "type-whole":
      return byType(policy, ids, removable, count, lookUp(requireTable(policy, inputs)));
    case "contextual": {
      const scores = requirePositions(ids, inputs);
      return lowest(removable, count, (i) => scores[i]);
    }
    default:
      throw new RangeError(
        `Cannot truncate: policy is "${policy}", expected one of ${TRUNCATION_POLICIES.join(", ")}`,
      );
  }
}

/** The `count` positions with the lowest scores; of equal ones the later goes first. */
function lowest(
  removable: readonly number[],
  count: number,
  scoreOf: (position: number) => number,
): number[] {
  const scored = removable.map((position) => ({ position, score: scoreOf(position) }));
  scored.sort((a, b) => a.score - b.score || b.position - a.position);
  return scored.slice(0, count).map(({ position }) => position);
}

/** Whole types in ascending score; of equal ones the type that occurs first later goes first. */
function byType(
  policy: "type" | "type-whole",
  ids: ArrayLike<number>,
  removable: readonly number[],
  count: number,
  scoreOf: (id: number) => number,
): number[] {
  const types = new Map<number, number[]>();
  for (const position of removable) {
    const positions = types.get(ids[position]);
    if (positions) positions.push(position);
    else types.set(ids[position], [position]);
  }
  const order = [...types].map(([id, positions]) => ({ score: scoreOf(id), positions }));
  order.sort((a, b) => a.score - b.score || b.positions[0] - a.positions[0]);
  const removed: number[] = [];
  for (const { positions } of order) {
    const wanted = count - removed.length;
    if (wanted <= 0) break;
    removed.push(
      ...(policy === "type" && positions.length > wanted ? positions.slice(-wanted) : positions),
    );
  }
  return removed;
}

const means = new WeakMap<ScoreTable, number>();

/** Score by token id; the mean of the table where there is none. */
function lookUp(table: ScoreTable): (id: number) => number {
  let mean = means.get(table);
  if (mean === undefined) {
    let sum = 0;
    for (const [id, score] of table) sum += checkScore(score, `of token ${id}`);
    mean = sum / Math.max(1, table.size);
    means.set(table, mean);
  }
  const unknown = mean;
  return (id) => {
    const score = table.get(id);
    return score === undefined ? unknown : checkScore(score, `of token ${id}`);
  };
}

function checkScore(score: number, what: string): number {
  if (Number.isFinite(score)) return score;
  throw new RangeError(`Cannot truncate: the score ${what} is ${score}, expected a finite number`);
}

function requireTable(policy: TruncationPolicy, { scores }: PolicyInputs): ScoreTable {
  if (scores && "get" in scores) return scores;
  throw new TypeError(
    `Cannot truncate by ${policy}: scores are ${
      scores && "an array"
    }, expected a map from token id to score`,
  );
}

function requirePositions(ids: ArrayLike<number>, { scores }: PolicyInputs): ArrayLike<number> {
  if (!scores || "get" in scores || scores.length !== ids.length) {
    const found = !scores ? "missing" : "get" in scores ? "a map" : `${scores.length} values`;
    throw new TypeError(
      `Cannot truncate by contextual: scores are ${found}, expected one per token (${ids.length})`,
    );
  }
  for (let i = 0; i < scores.length; i++) checkScore(scores[i], `at position ${i}`);
  return scores;
}

function requireFrequencies({ frequencies }: PolicyInputs): DocumentFrequencies {
  if (frequencies && frequencies.count > 0) return frequencies;
  throw new TypeError(
    "Cannot truncate by tf-idf: frequencies are missing, expected counts of at least one document",
  );
}
