/** Times cases against each other: warm-up, then one sample of each per randomised block. */
import type { MeasuredCase, MeasureOptions, TimedCase } from "./contract.ts";
import { hasDrift } from "./measure/drift.ts";
import * as policy from "./measure/policy.ts";
import { warmUp } from "./measure/warm_up.ts";
import type { Clock } from "./schema/_base.ts";
import type { Timing, TimingFlag } from "./schema/cell.ts";
import { bootstrapInterval, median, SeededRandom, summarizeSamples } from "./statistics/mod.ts";

export * from "./measure/policy.ts";
export { hasDrift } from "./measure/drift.ts";
export { isStable, warmUp } from "./measure/warm_up.ts";

/** The part of `Gpu` that timing needs. */
export interface GpuTimer {
  time(work: () => void): Promise<{ ns: number; wallNs: number; clock: Clock }>;
  scope<T>(work: () => T): T;
}

/** What surrounds a measurement. */
export interface MeasureSetting {
  readonly timer: GpuTimer;
  /** Issues the smallest dispatch there is; its time is the floor under every sample. */
  empty(): void;
  /** Issues a fixed kernel, timed once per block to see drift. */
  calibrator(): void;
  /** Seed of the order inside blocks. */
  readonly seed: number;
  readonly session: number;
  readonly timestampQuantumNs?: number | null;
  readonly signal?: AbortSignal;
  /** Monotonic clock in ms. @default performance.now */
  now?(): number;
}

interface Sample {
  readonly ns: number;
  readonly wallNs: number;
  readonly clock: Clock;
}

interface Running {
  readonly case: TimedCase;
  number: number;
  clock: Clock;
  warmupNs: number;
  readonly warmupSamplesNs: number[];
  readonly samplesNs: number[];
  readonly wallNs: number[];
  readonly startNs: number[];
  readonly blocks: number[];
  timedNs: number;
  stop: Timing["stop"] | null;
  stableWarmup: boolean;
  error: Error | null;
}

/**
 * Measures cases together. Samples are kept in order and untrimmed; a case that throws is reported
 * with its error and the others go on. An abort or a lost device ends the whole measurement.
 */
export async function measure(
  setting: MeasureSetting,
  cases: readonly TimedCase[],
  options: MeasureOptions = {},
): Promise<MeasuredCase[]> {
  const names = new Set(cases.map((item) => item.name));
  if (names.size !== cases.length) {
    throw new TypeError("Cannot measure: two cases share a name, expected unique names");
  }
  const now = setting.now ?? (() => performance.now());
  const origin = now();
  const emptyDispatchNs = await emptyBaseline(setting);
  const all: Running[] = [];
  for (const item of cases) {
    const running = start(item);
    all.push(running);
    await guarded(running, setting.signal, () => prepare(setting, running, options, now));
  }
  const calibratorNs: number[] = [];
  const random = new SeededRandom(setting.seed);
  for (let block = 0; all.some(isActive); block++) {
    setting.signal?.throwIfAborted();
    calibratorNs.push(
      (await setting.timer.time(() => setting.timer.scope(() => void setting.calibrator()))).ns,
    );
    for (const running of random.shuffle(all).filter(isActive)) {
      setting.signal?.throwIfAborted();
      await guarded(running, setting.signal, async () => {
        const begin = now();
        const sample = await takeSample(setting.timer, running.case, running.number, now);
        running.samplesNs.push(Math.max(0, Math.round(sample.ns)));
        if (sample.clock === "timestamp-query") running.wallNs.push(Math.round(sample.wallNs));
        running.startNs.push(Math.round((begin - origin) * 1e6));
        running.blocks.push(block);
        running.timedNs += (now() - begin) * 1e6;
        running.stop = stopRule(running, options);
      });
    }
  }
  const drifted = hasDrift(calibratorNs);
  return all.map((running) => finish(setting, running, options, emptyDispatchNs, drifted));
}

function start(item: TimedCase): Running {
  return {
    case: item,
    number: 1,
    clock: "wall",
    warmupNs: 0,
    warmupSamplesNs: [],
    samplesNs: [],
    wallNs: [],
    startNs: [],
    blocks: [],
    timedNs: 0,
    stop: null,
    stableWarmup: true,
    error: null,
  };
}

function isActive(running: Running): boolean {
  return running.stop === null && running.error === null;
}

/** Runs work of one case; its failure stays with it, unless nothing can go on. */
async function guarded(
  running: Running,
  signal: AbortSignal | undefined,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    if (failure.name === "DeviceLostError" || signal?.aborted) throw failure;
    running.error = failure;
  }
}

async function emptyBaseline(setting: MeasureSetting): Promise<number> {
  const samples: number[] = [];
  for (let i = 0; i < policy.EMPTY_DISPATCH_SAMPLES; i++) {
    samples.push(
      (await setting.timer.time(() => setting.timer.scope(() => void setting.empty()))).ns,
    );
  }
  return Math.max(0, median(samples));
}

/** Warms a case up and chooses how often it is repeated inside one sample. */
async function prepare(
  setting: MeasureSetting,
  running: Running,
  options: MeasureOptions,
  now: () => number,
): Promise<void> {
  const begin = now();
  const warm = await warmUp(async () => {
    setting.signal?.throwIfAborted();
    const sample = await takeSample(setting.timer, running.case, 1, now);
    running.clock = sample.clock;
    running.warmupSamplesNs.push(Math.max(0, Math.round(sample.ns)));
    return sample.ns;
  }, now);
  running.stableWarmup = warm.stable;
  const single = Math.max(1, median(warm.samplesNs.slice(-policy.WARMUP_WINDOW)));
  // Another library returns only when it is done, so its wall time carries no late notice.
  const late = running.clock === "wall" && running.case.runAsync === undefined;
  const wantedMs = options.minSampleMs ??
    (late ? policy.MIN_SAMPLE_MS_WALL : policy.MIN_SAMPLE_MS);
  running.number = Math.min(policy.MAX_NUMBER, Math.max(1, Math.ceil(wantedMs * 1e6 / single)));
  running.warmupNs = Math.round((now() - begin) * 1e6);
}

async function takeSample(
  timer: GpuTimer,
  item: TimedCase,
  number: number,
  now: () => number,
): Promise<Sample> {
  if (item.runAsync) {
    const begin = now();
    for (let i = 0; i < number; i++) await item.runAsync();
    const ns = (now() - begin) * 1e6;
    return { ns, wallNs: ns, clock: "wall" };
  }
  const { run } = item;
  if (!run) throw new TypeError(`Cannot time ${item.name}: it has neither run nor runAsync`);
  return await timer.time(() => {
    // `void`: a scope keeps the tensor it returns, and cases often return their output.
    for (let i = 0; i < number; i++) timer.scope(() => void run.call(item));
  });
}

function stopRule(running: Running, options: MeasureOptions): Timing["stop"] | null {
  const n = running.samplesNs.length;
  if (n >= (options.maxSamples ?? policy.MAX_SAMPLES)) return "max-samples";
  const spentMs = running.timedNs / 1e6;
  if (n >= policy.FLOOR_SAMPLES && spentMs >= (options.maxTimeMs ?? policy.MAX_TIME_MS)) {
    return "max-time";
  }
  if (n < (options.minSamples ?? policy.MIN_SAMPLES)) return null;
  const wanted = options.relativeWidth ?? policy.RELATIVE_WIDTH;
  return relativeWidth(running.samplesNs) <= wanted ? "interval-width" : null;
}

function relativeWidth(samples: readonly number[]): number {
  const interval = bootstrapInterval(samples, { resamples: 400 });
  return interval === null ? Infinity : (interval.high - interval.low) / median(samples);
}

function finish(
  setting: MeasureSetting,
  running: Running,
  options: MeasureOptions,
  emptyDispatchNs: number,
  drifted: boolean,
): MeasuredCase {
  const { error, samplesNs, number } = running;
  const base = {
    name: running.case.name,
    warmupNs: running.warmupNs,
    timedNs: Math.round(running.timedNs),
    error,
  };
  if (error !== null || samplesNs.length === 0) return { ...base, timing: null };
  const flags: TimingFlag[] = [];
  const floor = running.case.floorNs ?? 0;
  // Zero is below any floor: no work takes no time.
  const least = Math.max(1, policy.IMPLAUSIBLE_SHARE * floor * number);
  if (samplesNs.some((ns) => ns < least)) flags.push("implausible");
  const middle = median(samplesNs);
  if (!running.case.runAsync && middle < policy.NEAR_FLOOR_FACTOR * emptyDispatchNs) {
    flags.push("near-launch-floor");
  }
  const quantum = running.clock === "timestamp-query" ? setting.timestampQuantumNs ?? 1 : 1000;
  if (middle < policy.COARSE_CLOCK_STEPS * quantum) flags.push("coarse-clock");
  if (drifted) flags.push("drift");
  if (!running.stableWarmup) flags.push("unstable-warmup");
  if (relativeWidth(samplesNs) > (options.relativeWidth ?? policy.RELATIVE_WIDTH)) {
    flags.push("wide-interval");
  }
  const timing: Timing = {
    phase: running.case.phase,
    session: setting.session,
    clock: running.clock,
    number,
    samplesNs,
    wallNs: running.wallNs,
    startNs: running.startNs,
    blocks: running.blocks,
    warmupSamplesNs: running.warmupSamplesNs,
    emptyDispatchNs,
    stop: running.stop ?? "fixed",
    flags,
    stats: summarizeSamples(samplesNs, number),
  };
  return { ...base, timing };
}
