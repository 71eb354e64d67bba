import type { Cell, Comparison, Timing } from "../../harness/contract.ts";
import { pairTimings } from "../../harness/pair_timings.ts";
import { comparePairs, type PairInput } from "../../harness/statistics/mod.ts";

/** The two clocks that times are compared on. */
export const CLOCKS = ["gpu-time", "wall-time"] as const;

/** GPU time: sum over compute passes. Wall time: from the first call until the host knows of the end. */
export type PeerClock = typeof CLOCKS[number];

/** The timing on one clock; undefined where the library has none on it. */
export function timingOn(timing: Timing | undefined, clock: PeerClock): Timing | undefined {
  if (!timing || timing.samplesNs.length === 0) return undefined;
  if (clock === "gpu-time") return timing.clock === "timestamp-query" ? timing : undefined;
  if (timing.clock === "wall") return timing;
  // The derived figures belong to the other clock and are left behind.
  return { ...timing, clock: "wall", samplesNs: timing.wallNs, wallNs: [], stats: null };
}

/** Name of the comparison of one peer in one case on one clock. */
export function comparisonId(caseId: string, peer: string, clock: PeerClock): string {
  return `${caseId}/${peer}/${clock}`;
}

/**
 * Our time over each peer's, block by block, on both clocks: every sample is paired with the one of the same randomised block, so that a
 * slow minute of the machine weighs on both sides.
 */
export function comparePeers(cells: readonly Cell[]): Comparison[] {
  const inputs: PairInput[] = [];
  for (const ours of cells.filter((cell) => cell.variant === "ours" && cell.status === "ok")) {
    const peers = cells.filter((cell) =>
      cell.task === ours.task && cell.variant !== "ours" && cell.status === "ok"
    );
    for (const peer of peers) {
      for (const clock of CLOCKS) {
        const baseline = timingOn(peer.timings[0], clock);
        const candidate = timingOn(ours.timings[0], clock);
        if (!baseline || !candidate) continue;
        const [baselineValues, candidateValues] = pairTimings(baseline, candidate);
        inputs.push({
          id: comparisonId(ours.task, peer.variant, clock),
          metric: clock,
          baseline: { variant: peer.variant, params: { case: peer.task } },
          candidate: { variant: ours.variant, params: { case: ours.task } },
          baselineValues,
          candidateValues,
          scale: "ratio",
          better: "lower",
        });
      }
    }
  }
  return comparePairs(inputs);
}
