/**
 * How much text two documents share, by runs of words.
 * @module
 */

import type { LabelledDocument } from "./text_task.ts";

/** Words of a run. */
const RUN = 8;

/** Hashes of all runs of eight words, lower case, punctuation left out. A shorter text is one run. */
export function wordRuns(text: string): Set<number> {
  const words = (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).map(hash);
  const runs = new Set<number>();
  for (let i = 0; i < Math.max(1, words.length - RUN + 1); i++) {
    let run = 0;
    for (const word of words.slice(i, i + RUN)) run = Math.imul(run ^ word, 0x01000193) + 1;
    runs.add(run >>> 0);
  }
  return runs;
}

const known = new WeakMap<LabelledDocument, Set<number>>();

/** {@link wordRuns} of a document, kept for as long as the document is. */
export function runsOf(document: LabelledDocument): Set<number> {
  let runs = known.get(document);
  if (!runs) known.set(document, runs = wordRuns(document.text));
  return runs;
}

/** Share of the shorter text's runs that also stand in the other. */
export function sharedRuns(a: ReadonlySet<number>, b: ReadonlySet<number>): number {
  const [small, large] = a.size <= b.size ? [a, b] : [b, a];
  let shared = 0;
  for (const run of small) if (large.has(run)) shared++;
  return small.size === 0 ? 0 : shared / small.size;
}

/** FNV-1a over UTF-16 units. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}
