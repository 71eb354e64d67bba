import type { CommandRecorder } from "./recorder.ts";

/** A copy to the host that rides in the current submission. */
export interface PendingRead {
  /** Resolves some time after the submission; awaiting it a step later does not stall the GPU. */
  readonly bytes: Promise<ArrayBuffer>;
}

interface Waiting {
  readonly staging: GPUBuffer;
  readonly bytes: number;
  readonly resolve: (bytes: ArrayBuffer) => void;
  readonly reject: (error: unknown) => void;
}

/** Staging buffers by size, so that reading the loss every step creates none. */
export class Readbacks {
  readonly #free = new Map<number, GPUBuffer[]>();
  #waiting: Waiting[] = [];

  constructor(private readonly device: GPUDevice, private readonly recorder: CommandRecorder) {}

  /** Records the copy; the mapping starts at `started`. */
  read(source: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
    const staging = this.#free.get(bytes)?.pop() ?? this.device.createBuffer({
      label: "readback",
      size: bytes,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    this.recorder.copy(source, offset, staging, 0, bytes);
    return new Promise((resolve, reject) =>
      this.#waiting.push({ staging, bytes, resolve, reject })
    );
  }

  /** Called right after a submission. */
  submitted(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { staging, bytes, resolve, reject } of waiting) {
      staging.mapAsync(GPUMapMode.READ).then(() => {
        const copy = staging.getMappedRange().slice(0);
        staging.unmap();
        const list = this.#free.get(bytes);
        if (list) list.push(staging);
        else this.#free.set(bytes, [staging]);
        resolve(copy);
      }, reject);
    }
  }
}
