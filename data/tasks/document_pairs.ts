/**
 * Pairs of documents: do both belong to the same group?
 * @module
 */

import { random32 } from "../random.ts";
import { runsOf, sharedRuns } from "./text_overlap.ts";
import type { LabelledDocument } from "./text_task.ts";

/** Two texts and whether they belong together. */
export interface DocumentPair {
  readonly id: string;
  readonly first: string;
  readonly second: string;
  /** 1 for the same group, 0 for different ones. */
  readonly label: 0 | 1;
  /** Groups of both. */
  readonly groups: readonly [string, string];
}

/** Settings of {@link pairDocuments}. */
export interface PairOptions {
  /** Number of pairs; half of them match. */
  readonly count: number;
  readonly seed: number;
  /** Largest share of common runs of words that a pair of different groups may have. @default {0.3} */
  readonly maxOverlap?: number;
}

/** Candidates from which a partner of about the right length is taken. */
const CANDIDATES = 12;

/**
 * Seeded pairs, balanced between both labels. Matching pairs are drawn group by group, so that large groups do not rule; a pair of
 * different groups is drawn beside each with the same first text and a second one of about the same length as the match, since
 * length would give the label away.
 *
 * @throws {RangeError} If fewer than two groups have two documents, or all groups share their text.
 */
export function pairDocuments(
  documents: readonly LabelledDocument[],
  { count, seed, maxOverlap = 0.3 }: PairOptions,
): DocumentPair[] {
  const several = [...Map.groupBy(documents, ({ group }) => group).values()]
    .filter((members) => members.length > 1);
  if (several.length < 2) {
    throw new RangeError(
      `Cannot pair documents: ${several.length} groups have two documents, expected 2 groups or more`,
    );
  }
  const pairs: DocumentPair[] = [];
  for (let n = 0; pairs.length < count; n++) {
    const draw = (index: number, below: number) =>
      Math.floor(random32(seed, n, index) / 2 ** 32 * below);
    const members = several[draw(0, several.length)];
    const i = draw(1, members.length);
    const first = members[i];
    const match = members[(i + 1 + draw(2, members.length - 1)) % members.length];
    // Strangers come group by group too: how often a text occurs must not tell the label.
    const others = Array.from({ length: CANDIDATES }, (_, c) => {
      const group = several[draw(3 + 2 * c, several.length)];
      return group[draw(4 + 2 * c, group.length)];
    })
      .filter((d) => d.group !== first.group && sharedRuns(runsOf(d), runsOf(first)) <= maxOverlap);
    if (others.length === 0) {
      if (n < 20 * count) continue;
      throw new RangeError(
        `Cannot pair documents: after ${n} draws there are ${pairs.length} of ${count} pairs, expected groups with text of their own; raise maxOverlap (${maxOverlap})`,
      );
    }
    const distance = ({ text }: LabelledDocument) =>
      Math.abs(Math.log(text.length / match.text.length));
    const stranger = others.reduce((best, d) => distance(d) < distance(best) ? d : best);
    for (const [second, label] of [[match, 1], [stranger, 0]] as const) {
      if (pairs.length === count) break;
      pairs.push({
        id: `${n}/${first.id}/${second.id}`,
        first: first.text,
        second: second.text,
        label,
        groups: [first.group, second.group],
      });
    }
  }
  return pairs;
}

/** Test documents without those that share more than `maxOverlap` of their runs of words with a training document. */
export function withoutNearDuplicates(
  train: readonly LabelledDocument[],
  test: readonly LabelledDocument[],
  maxOverlap = 0.5,
): LabelledDocument[] {
  const known = train.map(runsOf);
  return test.filter((document) =>
    known.every((runs) => sharedRuns(runsOf(document), runs) <= maxOverlap)
  );
}
