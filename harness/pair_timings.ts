import type { Timing } from "./schema/cell.ts";

/**
 * Pairs the samples of two timings that were measured together: same session, same block.
 *
 * @returns Nanoseconds per repetition, pair by pair; empty where they share no block.
 */
export function pairTimings(baseline: Timing, candidate: Timing): [number[], number[]] {
  if (baseline.session !== candidate.session || baseline.clock !== candidate.clock) return [[], []];
  const byBlock = new Map(
    baseline.blocks.map((block, i) => [block, baseline.samplesNs[i] / baseline.number]),
  );
  const pairs: [number, number][] = [];
  candidate.blocks.forEach((block, i) => {
    const base = byBlock.get(block);
    if (base !== undefined) pairs.push([base, candidate.samplesNs[i] / candidate.number]);
  });
  return [pairs.map(([base]) => base), pairs.map(([, other]) => other)];
}
