import type { Calibration, Cell, Comparison } from "../../harness/contract.ts";
import { rooflineShare } from "../../harness/roofline.ts";
import { median } from "../../harness/statistics/mod.ts";
import { comparisonId, type PeerClock, timingOn } from "./compare.ts";
import { PROCESSOR_LIBRARY } from "./packages.ts";
import { clockOf, type Target, type TargetAdapter, targetOf } from "./targets.ts";

/** Our speed against one peer. */
export interface Speedup {
  readonly peer: string;
  /** Peer's time over ours. */
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly clock: PeerClock;
  readonly n: number;
}

/** One case of the report. */
export interface PeerRow {
  readonly task: string;
  readonly operation: string;
  readonly ours: Cell | undefined;
  readonly peers: readonly Cell[];
  /** Clock of the row's times. */
  readonly clock: PeerClock;
  /** Every peer that could be compared, the best (hardest) first. */
  readonly speedups: readonly Speedup[];
  /** Our peak bytes over those of the leanest peer. */
  readonly bytesShare: number | null;
  /** Time the measured roof allows over our time. */
  readonly roofline: number | null;
  readonly target: Target | null;
  /** Whether the target is met against every peer; null where no target was set. */
  readonly met: boolean | null;
  /** The same against the peers on this adapter only, without the one that runs on the processor. */
  readonly metOnAdapter: boolean | null;
}

/**
 * Puts the cells of each case together. The best peer is the one against which we do worst, each on the clock that both sides have; so a
 * row is met only if it is met against all of them.
 */
export function summarizeRows(
  cells: readonly Cell[],
  comparisons: readonly Comparison[],
  calibration: Calibration | undefined,
  adapter: TargetAdapter | null,
): PeerRow[] {
  const byId = new Map(comparisons.map((item) => [item.id, item]));
  return [...new Set(cells.map((cell) => cell.task))].map((task) => {
    const all = cells.filter((cell) => cell.task === task);
    const ours = all.find((cell) => cell.variant === "ours");
    const peers = all.filter((cell) => cell.variant !== "ours");
    const params = all[0].params;
    const clock = clockOf(params);
    const speedups = peers
      .flatMap((peer) => speedupOf(task, peer.variant, clock, byId) ?? [])
      .sort((a, b) => a.value - b.value);
    const bytesShare = shareOfBytes(ours, peers);
    const target = targetOf(params, adapter);
    return {
      task,
      operation: String(params.operation),
      ours,
      peers,
      clock,
      speedups,
      bytesShare,
      roofline: shareOfRoof(ours, calibration),
      target,
      met: target && isMet(target, ours, peers, speedups, bytesShare),
      metOnAdapter: target &&
        isMet(target, ours, peers, speedups.filter(isOnAdapter), bytesShare),
    };
  });
}

/** Whether a speedup is against a library on the same WebGPU adapter. */
export function isOnAdapter({ peer }: Speedup): boolean {
  return peer !== PROCESSOR_LIBRARY;
}

/** Median of a usable cell's time on a clock in ms per run; null where it has none on it. */
export function medianMs(cell: Cell | undefined, clock: PeerClock): number | null {
  if (cell?.status !== "ok") return null;
  const timing = timingOn(cell.timings[0], clock);
  return timing ? median(timing.samplesNs) / timing.number / 1e6 : null;
}

function speedupOf(
  task: string,
  peer: string,
  wanted: PeerClock,
  byId: ReadonlyMap<string, Comparison>,
): Speedup | undefined {
  for (const clock of [wanted, "wall-time"] as const) {
    const found = byId.get(comparisonId(task, peer, clock));
    if (found?.kind !== "pair" || !found.estimate) continue;
    const { estimate, interval, n } = found;
    return {
      peer,
      value: 1 / estimate,
      low: interval && 1 / interval.high,
      high: interval && 1 / interval.low,
      clock,
      n,
    };
  }
  return undefined;
}

function shareOfBytes(ours: Cell | undefined, peers: readonly Cell[]): number | null {
  const bytes = peers.flatMap((cell) => cell.memoryBytes?.peak ?? []);
  const own = ours?.memoryBytes?.peak;
  return own === undefined || bytes.length === 0 ? null : own / Math.min(...bytes);
}

function shareOfRoof(ours: Cell | undefined, calibration: Calibration | undefined): number | null {
  const ms = medianMs(ours, "gpu-time");
  if (ms === null || !calibration || !ours?.cost) return null;
  return rooflineShare(ours.cost, ms * 1e6, calibration).roof;
}

/** Without any peer that works, being right is the target: that is what the row shows. */
function isMet(
  target: Target,
  ours: Cell | undefined,
  peers: readonly Cell[],
  speedups: readonly Speedup[],
  bytesShare: number | null,
): boolean {
  if (ours?.status !== "ok") return false;
  if (speedups.length === 0) return peers.length > 0;
  const fast = speedups[0].value >= target.speedup;
  const lean = target.bytesShare === null ||
    (bytesShare !== null && bytesShare <= target.bytesShare);
  return fast && lean;
}
