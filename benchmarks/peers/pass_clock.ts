import { watchGpu } from "./gpu_hooks.ts";

/** WebGPU allows 4096 queries in a set. */
const PASSES_PER_SET = 2048;

interface Page {
  readonly queries: GPUQuerySet;
  readonly resolved: GPUBuffer;
  readonly staging: GPUBuffer;
  used: number;
}

/**
 * GPU time of any library: while it runs, every compute pass on every device writes a timestamp pair. The time of a region is the sum
 * over its passes, so gaps in which a library leaves the GPU idle are not held against it (the wall clock shows those).
 */
export class PassClock {
  readonly #pages = new Map<GPUDevice, Page[]>();
  readonly #stop: () => void;
  #running = false;

  constructor() {
    this.#stop = watchGpu({
      beginPass: (device) => this.#running ? this.#nextPass(device) : undefined,
    });
  }

  /** Starts a region; what an earlier one left is forgotten. */
  start(): void {
    for (const pages of this.#pages.values()) for (const page of pages) page.used = 0;
    this.#running = true;
  }

  /** Ends the region. */
  stop(): void {
    this.#running = false;
  }

  /**
   * Busy time of a device in the last region. Submits and waits, so it belongs outside the timed part.
   *
   * @returns Nanoseconds, or null where the device has no timestamps or ran no pass.
   */
  async busyNs(device: GPUDevice): Promise<number | null> {
    const pages = (this.#pages.get(device) ?? []).filter((page) => page.used > 0);
    if (pages.length === 0) return null;
    const encoder = device.createCommandEncoder();
    for (const { queries, resolved, staging, used } of pages) {
      encoder.resolveQuerySet(queries, 0, used * 2, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, used * 16);
    }
    device.queue.submit([encoder.finish()]);
    let sum = 0;
    for (const { staging, used } of pages) {
      await staging.mapAsync(GPUMapMode.READ, 0, used * 16);
      const times = new BigUint64Array(staging.getMappedRange(0, used * 16));
      for (let i = 0; i < used; i++) sum += Number(times[2 * i + 1] - times[2 * i]);
      staging.unmap();
    }
    return sum;
  }

  /** Stops for good and frees the query sets. */
  close(): void {
    this.#stop();
    for (const pages of this.#pages.values()) {
      for (const { queries, resolved, staging } of pages) {
        queries.destroy();
        resolved.destroy();
        staging.destroy();
      }
    }
    this.#pages.clear();
  }

  #nextPass(device: GPUDevice): GPUComputePassTimestampWrites | undefined {
    if (!device.features.has("timestamp-query")) return undefined;
    let pages = this.#pages.get(device);
    if (!pages) this.#pages.set(device, pages = []);
    let page = pages.find(({ used }) => used < PASSES_PER_SET);
    if (!page) pages.push(page = createPage(device));
    const pass = page.used++;
    return {
      querySet: page.queries,
      beginningOfPassWriteIndex: pass * 2,
      endOfPassWriteIndex: pass * 2 + 1,
    };
  }
}

function createPage(device: GPUDevice): Page {
  const size = PASSES_PER_SET * 16;
  return {
    queries: device.createQuerySet({ type: "timestamp", count: PASSES_PER_SET * 2 }),
    resolved: device.createBuffer({
      size,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    }),
    staging: device.createBuffer({
      size,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    }),
    used: 0,
  };
}
