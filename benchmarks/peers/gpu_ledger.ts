import { knowDevice, watchGpu } from "./gpu_hooks.ts";

/** What one device holds and was sent. */
export interface LedgerCounts {
  /** Bytes of the buffers that exist. */
  readonly liveBytes: number;
  /** Highest `liveBytes` since the ledger was opened. */
  readonly peakBytes: number;
  readonly buffersCreated: number;
  readonly dispatches: number;
  readonly submissions: number;
}

/**
 * Exact account of GPU buffers, dispatches and submissions per device, taken on the WebGPU calls themselves. It counts every buffer
 * that exists, so a library's pool of free buffers is part of its bytes, as a monitor of the driver would show it.
 *
 * @example
 * ```ts ignore
 * const ledger = new GpuLedger();
 * // ... a library opens its device and works ...
 * console.log(ledger.counts(device).peakBytes);
 * ledger.close();
 * ```
 */
export class GpuLedger {
  readonly #counts = new Map<GPUDevice, { -readonly [K in keyof LedgerCounts]: number }>();
  readonly #stop: () => void;

  constructor() {
    this.#stop = watchGpu({
      createBuffer: (device, _buffer, bytes) => {
        const counts = this.#of(device);
        counts.buffersCreated++;
        counts.liveBytes += bytes;
        counts.peakBytes = Math.max(counts.peakBytes, counts.liveBytes);
      },
      destroyBuffer: (device, bytes) => void (this.#of(device).liveBytes -= bytes),
      dispatch: (device) => void this.#of(device).dispatches++,
      submit: (device) => void this.#of(device).submissions++,
    });
  }

  /** Counts so far; all zero for a device that did nothing. */
  counts(device: GPUDevice): LedgerCounts {
    knowDevice(device);
    return { ...this.#of(device) };
  }

  /** Stops counting. */
  close(): void {
    this.#stop();
  }

  #of(device: GPUDevice) {
    let counts = this.#counts.get(device);
    if (!counts) {
      counts = { liveBytes: 0, peakBytes: 0, buffersCreated: 0, dispatches: 0, submissions: 0 };
      this.#counts.set(device, counts);
    }
    return counts;
  }
}
