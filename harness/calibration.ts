/** Measures the roof of this machine in this session: arithmetic, bandwidth, launch latency, clock. */
import { type Gpu, matmul, relu, type Tensor } from "../engine/mod.ts";
import type { Calibration } from "./schema/machine.ts";
import { median } from "./statistics/mod.ts";

/** Samples of each figure. */
export const CALIBRATION_SAMPLES = 10;
/** Sides of the square matmuls tried; the fastest counts. */
export const CALIBRATION_SIZES = { hardware: [1024, 2048, 4096], software: [256, 512] } as const;
/** Bytes read by one copy: larger than the caches. */
export const CALIBRATION_COPY_BYTES = { hardware: 256 * 2 ** 20, software: 64 * 2 ** 20 } as const;
/** Dispatches in the long submission whose extra time gives the launch latency. */
export const LAUNCH_DISPATCHES = 256;
/** A sample is repeated until it is at least this long. */
export const CALIBRATION_SAMPLE_MS = 5;

export interface CalibrationOptions {
  readonly at: Calibration["at"];
  readonly session?: number;
  /** Wall clock in ms since 1970. */
  readonly now: () => number;
  readonly signal?: AbortSignal;
}

/** Runs the calibration: about a second on a GPU, some seconds on a software adapter. */
export async function calibrate(gpu: Gpu, options: CalibrationOptions): Promise<Calibration> {
  const takenAt = new Date(options.now()).toISOString();
  const seen: number[] = [];
  const sample = async (work: () => void) => {
    options.signal?.throwIfAborted();
    // `void`: a scope keeps the tensor it returns.
    const time = await gpu.time(() => gpu.scope(() => void work()));
    if (time.clock === "timestamp-query") seen.push(time.ns);
    // A clock too coarse for the work would give an infinite rate.
    return { ...time, ns: Math.max(1, time.ns) };
  };
  const { clock } = await sample(() => void gpu.full([1], 0));
  const best = await bestMatmul(gpu, sample);
  const copy = await copyBandwidth(gpu, sample);
  const launch = await launchLatency(gpu, sample);
  return {
    at: options.at,
    session: options.session ?? 1,
    takenAt,
    clock,
    f32FlopsPerSecond: best.rates,
    matmulSize: best.size,
    fmaFlopsPerSecond: [],
    copyBytesPerSecond: copy.rates,
    copyBytes: copy.bytes,
    launchNs: launch.launchNs,
    submitNs: launch.submitNs,
    timestampQuantumNs: clockQuantum(seen),
  };
}

type Sampler = (work: () => void) => Promise<{ ns: number; wallNs: number }>;

/** Samples of `work` repeated until a sample is long enough; ns per repetition. */
async function timed(sample: Sampler, gpu: Gpu, work: () => Tensor): Promise<number[]> {
  await sample(work);
  const { ns } = await sample(work);
  const number = Math.min(1000, Math.max(1, Math.ceil(CALIBRATION_SAMPLE_MS * 1e6 / ns)));
  const times: number[] = [];
  for (let i = 0; i < CALIBRATION_SAMPLES; i++) {
    const time = await sample(() => {
      for (let k = 0; k < number; k++) gpu.scope(() => void work());
    });
    times.push(time.ns / number);
  }
  return times;
}

async function bestMatmul(gpu: Gpu, sample: Sampler): Promise<{ size: number; rates: number[] }> {
  let best: { size: number; rates: number[] } | null = null;
  for (const size of CALIBRATION_SIZES[gpu.info.class]) {
    // Values near 1 keep the products normal numbers; denormals are slow on some adapters.
    const a = gpu.full([size, size], 1 / size).keep();
    const b = gpu.full([size, size], 1).keep();
    const times = await timed(sample, gpu, () => matmul(a, b));
    a.dispose();
    b.dispose();
    const rates = times.map((ns) => 2 * size ** 3 / ns * 1e9);
    if (best === null || median(rates) > median(best.rates)) best = { size, rates };
  }
  return best as { size: number; rates: number[] };
}

async function copyBandwidth(gpu: Gpu, sample: Sampler) {
  const bytes = Math.min(
    CALIBRATION_COPY_BYTES[gpu.info.class],
    gpu.info.limits.maxStorageBufferBindingSize,
    gpu.info.limits.maxBufferSize,
  ) & ~0xffff;
  const source = gpu.full([bytes / 4], 1).keep();
  const times = await timed(sample, gpu, () => relu(source));
  source.dispose();
  return { bytes, rates: times.map((ns) => 2 * bytes / ns * 1e9) };
}

async function launchLatency(gpu: Gpu, sample: Sampler) {
  const launchNs: number[] = [];
  const submitNs: number[] = [];
  const target = gpu.full([1], 0).keep();
  for (let i = 0; i <= CALIBRATION_SAMPLES; i++) {
    const one = await sample(() => gpu.fill(target, 1));
    const many = await sample(() => {
      for (let k = 0; k <= LAUNCH_DISPATCHES; k++) gpu.fill(target, 1);
    });
    // The first round warms up.
    if (i === 0) continue;
    launchNs.push(Math.max(0, (many.ns - one.ns) / LAUNCH_DISPATCHES));
    submitNs.push(one.wallNs);
  }
  target.dispose();
  return { launchNs, submitNs };
}

/**
 * Smallest step of a clock: the greatest common divisor of the durations it gave.
 *
 * @returns null without durations.
 */
export function clockQuantum(durationsNs: readonly number[]): number | null {
  let quantum = 0;
  for (const duration of durationsNs) {
    let [a, b] = [quantum, Math.abs(Math.round(duration))];
    while (b > 0) [a, b] = [b, a % b];
    quantum = a;
  }
  return quantum === 0 ? null : quantum;
}
