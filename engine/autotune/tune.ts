import { DeviceLostError } from "../errors.ts";
import type { Gpu } from "../gpu.ts";
import type { Candidate, Tunable, Workspace } from "./candidate.ts";
import { candidateNamed, choiceKey } from "./choices.ts";

/** Options of `tune`. */
export interface TuneOptions {
  /** Rounds in which every candidate is timed once, at least 5. @default {7} */
  readonly rounds?: number;
  /** Share of the default's time a challenger must save to replace it. @default {0.15} */
  readonly margin?: number;
  /** Longest first dispatch, which includes compilation, in milliseconds. @default {2000} */
  readonly firstDispatchLimitMs?: number;
  /** Times what `body` records, in nanoseconds. @default {gpu.time} */
  readonly time?: (body: () => void, candidate: string) => Promise<number>;
  /** Wall clock in milliseconds, for first dispatches. @default {performance.now} */
  readonly now?: () => number;
}

/** How one candidate fared. */
export interface CandidateReport {
  readonly name: string;
  /** Median over the rounds of its time over the default's of the same round; absent when dropped. */
  readonly ratio?: number;
  /** Shortest time of one run in nanoseconds; absent when dropped. */
  readonly bestNs?: number;
  /** Milliseconds of the first dispatch, compilation included. */
  readonly firstDispatchMs: number;
  /** Why the candidate was not timed. */
  readonly dropped?: string;
}

/** What was decided for one class of problems. */
export interface TuneReport {
  /** Key in `gpu.choices`. */
  readonly key: string;
  readonly default: string;
  readonly chosen: string;
  readonly candidates: readonly CandidateReport[];
}

interface Entry<C> {
  readonly candidate: C;
  readonly firstDispatchMs: number;
  readonly dropped?: string;
  readonly ns: number[];
}

/** A timed region is filled with repetitions up to about this long, so that the clock's grain does not count. */
const REGION_NS = 1e6;
const MAX_REPEATS = 64;

/**
 * Times the candidates of an operation on these problems and stores the winners in `gpu.choices`. Problems of one class are
 * tuned once, by the first of them.
 *
 * The default keeps its place unless a candidate needs at least 15 % less time by the median of per-round ratios: hosts change speed
 * from one second to the next, so candidates take turns and only times of one round are compared. A candidate is dropped when its first
 * dispatch takes over 2 s, when it fails, or when its result differs from the default's.
 *
 * @param gpu Where to time; nothing else should run on it.
 * @param operation Operation with its candidates.
 * @param problems Problems to tune for.
 * @throws {RangeError} If `rounds` is below 5.
 */
export async function tune<P, C extends Candidate<P>>(
  gpu: Gpu,
  operation: Tunable<P, C>,
  problems: readonly P[],
  options: TuneOptions = {},
): Promise<TuneReport[]> {
  const { rounds = 7, margin = 0.15 } = options;
  if (!(rounds >= 5)) throw new RangeError(`Cannot tune: rounds is ${rounds}, expected 5 or more`);
  const reports = new Map<string, TuneReport>();
  for (const problem of problems) {
    const key = choiceKey(operation, problem);
    if (reports.has(key)) continue;
    const defaultName = operation.defaultFor(gpu.info, problem);
    const workspace = operation.prepare(gpu, problem);
    try {
      const entries = await tryCandidates(gpu, operation, problem, workspace, defaultName, options);
      await timeRounds(gpu, problem, workspace, entries, rounds, options);
      const candidates = entries.map((entry) => report(entry, entries[0].ns));
      const chosen = winner(candidates, margin);
      if (chosen === defaultName) gpu.choices.delete(key);
      else gpu.choices.set(key, chosen);
      reports.set(key, { key, default: defaultName, chosen, candidates });
    } finally {
      workspace.tensors.forEach((tensor) => tensor.dispose());
    }
  }
  return [...reports.values()];
}

/** Runs every candidate once, the default first, and drops those that are slow to start, fail, or disagree with the default. */
async function tryCandidates<P, C extends Candidate<P>>(
  gpu: Gpu,
  operation: Tunable<P, C>,
  problem: P,
  { tensors, output }: Workspace,
  defaultName: string,
  { firstDispatchLimitMs = 2000, now = () => performance.now() }: TuneOptions,
): Promise<Entry<C>[]> {
  const standard = candidateNamed(operation, defaultName);
  const others = operation.candidates.filter((c) => c !== standard && !c.reference);
  const entries: Entry<C>[] = [];
  let expected: ArrayLike<number> | undefined;
  for (const candidate of [standard, ...others]) {
    let dropped: string | undefined;
    let firstDispatchMs = 0;
    try {
      // What a candidate fails to write stays NaN and so is noticed.
      gpu.fill(output, NaN);
      await gpu.idle();
      const started = now();
      candidate.dispatch(gpu, problem, tensors);
      await gpu.idle();
      firstDispatchMs = now() - started;
      const actual = await gpu.read(output);
      if (!expected) expected = actual;
      else {
        const error = relativeDifference(actual, expected);
        if (!(error <= (operation.tolerance ?? 1e-4))) {
          dropped = `differs from ${defaultName} by ${error.toExponential(1)} (relative RMS)`;
        } else if (firstDispatchMs > firstDispatchLimitMs) {
          dropped = `first dispatch took ${Math.round(firstDispatchMs)} ms`;
        }
      }
    } catch (error) {
      if (candidate === standard || error instanceof DeviceLostError) throw error;
      dropped = (error as Error).message;
    }
    entries.push({ candidate, firstDispatchMs, dropped, ns: [] });
  }
  return entries;
}

/** Times what is left in turns, every other round in reverse order. */
async function timeRounds<P, C extends Candidate<P>>(
  gpu: Gpu,
  problem: P,
  { tensors }: Workspace,
  entries: readonly Entry<C>[],
  rounds: number,
  options: TuneOptions,
): Promise<void> {
  const time = options.time ?? (async (body: () => void) => (await gpu.time(body)).ns);
  const timed = entries.filter((entry) => entry.dropped === undefined);
  if (timed.length < 2) return;
  const runs = (candidate: C, repeats: number) =>
    time(() => {
      for (let i = 0; i < repeats; i++) candidate.dispatch(gpu, problem, tensors);
    }, candidate.name);
  const single = await runs(entries[0].candidate, 1);
  const repeats = Math.min(MAX_REPEATS, Math.max(1, Math.ceil(REGION_NS / Math.max(single, 1))));
  for (let round = 0; round < rounds; round++) {
    for (const entry of round % 2 === 0 ? timed : timed.toReversed()) {
      entry.ns.push(await runs(entry.candidate, repeats) / repeats);
    }
  }
}

function report<C extends { readonly name: string }>(
  { candidate, firstDispatchMs, dropped, ns }: Entry<C>,
  standard: readonly number[],
): CandidateReport {
  const { name } = candidate;
  if (dropped !== undefined) return { name, firstDispatchMs, dropped };
  if (ns.length === 0) return { name, firstDispatchMs };
  return {
    name,
    firstDispatchMs,
    ratio: median(ns.map((t, i) => t / standard[i])),
    bestNs: Math.min(...ns),
  };
}

/** The fastest candidate if it beats the default (the first) by the margin, else the default. */
function winner([standard, ...others]: readonly CandidateReport[], margin: number): string {
  let best = standard;
  for (const other of others) {
    if ((other.ratio ?? Infinity) < (best.ratio ?? 1)) best = other;
  }
  return (best.ratio ?? 1) <= 1 - margin ? best.name : standard.name;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Root mean square of the difference over that of the reference; NaN if any element is NaN. */
function relativeDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0;
  let reference = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i] - expected[i]) ** 2;
    reference += expected[i] ** 2;
  }
  return difference === 0 ? 0 : Math.sqrt(difference / reference);
}
