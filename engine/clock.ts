import type { PassClock } from "./recorder.ts";

/** Which clock a time came from. */
export type ClockName = "timestamp-query" | "wall";

/** Duration of one timed region. */
export interface Timing {
  /** Nanoseconds by the best clock there is. */
  readonly ns: number;
  /** Nanoseconds from submission to the host knowing that the work is done; in Deno up to 11 ms more than the work. */
  readonly wallNs: number;
  readonly clock: ClockName;
}

/** Time of all dispatches of one kernel in a profiled region. */
export interface ProfileRow {
  readonly kernel: string;
  readonly dispatches: number;
  readonly ns: number;
}

const MAX_PASSES = 2048;

/** Writes a timestamp pair around each compute pass of a region. */
export class TimestampClock implements PassClock {
  readonly labels: string[] = [];
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #staging: GPUBuffer;

  constructor(device: GPUDevice, readonly perDispatch: boolean) {
    const bytes = MAX_PASSES * 16;
    this.#queries = device.createQuerySet({ type: "timestamp", count: MAX_PASSES * 2 });
    this.#resolved = device.createBuffer({
      label: "timestamps",
      size: bytes,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
    this.#staging = device.createBuffer({
      label: "timestamps",
      size: bytes,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
  }

  nextPass(label: string): GPUComputePassTimestampWrites | undefined {
    const pass = this.labels.length;
    if (pass >= MAX_PASSES) return undefined;
    this.labels.push(label);
    return {
      querySet: this.#queries,
      beginningOfPassWriteIndex: pass * 2,
      endOfPassWriteIndex: pass * 2 + 1,
    };
  }

  resolve(encoder: GPUCommandEncoder): void {
    if (this.labels.length === 0) return;
    encoder.resolveQuerySet(this.#queries, 0, this.labels.length * 2, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#staging, 0, this.labels.length * 16);
  }

  /** Begin and end of every pass in nanoseconds; call once after submission. */
  async times(): Promise<BigUint64Array> {
    if (this.labels.length === 0) return new BigUint64Array();
    const bytes = this.labels.length * 16;
    await this.#staging.mapAsync(GPUMapMode.READ, 0, bytes);
    const times = new BigUint64Array(this.#staging.getMappedRange(0, bytes).slice(0));
    this.#staging.unmap();
    return times;
  }

  /** Forgets the recorded passes so that the next region can be timed. */
  reset(): void {
    this.labels.length = 0;
  }

  /** Frees the query set and its buffers. */
  destroy(): void {
    this.#queries.destroy();
    this.#resolved.destroy();
    this.#staging.destroy();
  }
}

/** Sums the pass times of a profile by kernel, longest first. */
export function profileRows(labels: readonly string[], times: BigUint64Array): ProfileRow[] {
  const rows = new Map<string, { dispatches: number; ns: number }>();
  labels.forEach((label, pass) => {
    const row = rows.get(label) ?? { dispatches: 0, ns: 0 };
    row.dispatches++;
    row.ns += Number(times[pass * 2 + 1] - times[pass * 2]);
    rows.set(label, row);
  });
  return [...rows].map(([kernel, row]) => ({ kernel, ...row })).sort((a, b) => b.ns - a.ns);
}
