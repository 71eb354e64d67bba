import { GpuOutOfMemoryError } from "./errors.ts";

/**
 * What a buffer is for; the key of the memory report. `constants` are tables that a mechanism makes once per device and keeps: they stay
 * when everything else of a step is gone.
 */
export type MemoryTag =
  | "parameters"
  | "gradients"
  | "optimizer"
  | "activations"
  | "workspace"
  | "data"
  | "constants";

/** One GPU buffer with a reference count. */
export interface Storage {
  readonly id: number;
  readonly buffer: GPUBuffer;
  /** Size of the buffer, a multiple of 256. */
  readonly bytes: number;
  tag: MemoryTag;
  refs: number;
  /** Number of the submission that used the buffer last (see `Gpu.upload`). */
  lastUse: number;
}

/** Live and highest bytes of one tag. */
export interface TagBytes {
  live: number;
  peak: number;
}

/** Rounding that lets a freed buffer serve the next request of nearly the same size, and keeps offsets bindable. */
const GRANULARITY = 256;
/** A free buffer may be this much larger than the request. */
const MAX_SLACK = 1.25;

const usage = () => GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

/**
 * Keeps freed buffers by size and counts every byte. Buffers can be handed out again while commands that read their old contents
 * are still being recorded: WebGPU runs dispatches in order, so a later writer cannot overtake an earlier reader.
 *
 * Among free buffers of a size the oldest is taken: equal steps then use equal buffers, and their bind groups are found again.
 */
export class BufferPool {
  readonly byTag = new Map<MemoryTag, TagBytes>();
  /** Bytes of all buffers that tensors hold now. */
  liveBytes = 0;
  /** Highest `liveBytes` since `resetPeak`. */
  peakBytes = 0;
  /** Bytes of all buffers that exist, in use or free. */
  allocatedBytes = 0;
  /** Highest `allocatedBytes` since `resetPeak`; what a monitor of the driver would show. */
  peakAllocatedBytes = 0;
  buffersCreated = 0;
  /** Free buffers by size, highest id first, so that `pop` takes the lowest. */
  #free = new Map<number, Storage[]>();
  #nextId = 1;

  constructor(
    private readonly device: GPUDevice,
    private readonly maxBufferBytes: number,
    private readonly budgetBytes: number,
    /** Called before buffers are destroyed: no recorded command may still name them. */
    private readonly beforeTrim: () => void,
  ) {}

  /** Bytes of free buffers waiting for reuse. */
  get pooledBytes(): number {
    return this.allocatedBytes - this.liveBytes;
  }

  /** Live bytes of everything but constants: what a finished step or task should not have added to. */
  get transientBytes(): number {
    return this.liveBytes - (this.byTag.get("constants")?.live ?? 0);
  }

  /** A buffer of at least `bytes`; `fresh` tells whether it is new (zeroed) or recycled (any contents). */
  acquire(bytes: number, tag: MemoryTag): Storage {
    const need = Math.max(GRANULARITY, Math.ceil(bytes / GRANULARITY) * GRANULARITY);
    const storage = this.#takeFree(need) ?? this.#create(need, tag);
    storage.tag = tag;
    storage.refs = 1;
    this.liveBytes += storage.bytes;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes);
    const counts = this.#counts(tag);
    counts.live += storage.bytes;
    counts.peak = Math.max(counts.peak, counts.live);
    return storage;
  }

  /** Takes a buffer back for reuse. */
  release(storage: Storage): void {
    this.liveBytes -= storage.bytes;
    this.#counts(storage.tag).live -= storage.bytes;
    const list = this.#free.get(storage.bytes);
    if (list) insertDescending(list, storage);
    else this.#free.set(storage.bytes, [storage]);
  }

  /** Destroys the free buffers; returns the bytes given back to the driver. */
  trim(): number {
    this.beforeTrim();
    const freed = this.pooledBytes;
    for (const list of this.#free.values()) for (const storage of list) storage.buffer.destroy();
    this.#free.clear();
    this.allocatedBytes -= freed;
    return freed;
  }

  /** Starts a new measurement of the peaks. */
  resetPeak(): void {
    this.peakBytes = this.liveBytes;
    this.peakAllocatedBytes = this.allocatedBytes;
    for (const counts of this.byTag.values()) counts.peak = counts.live;
  }

  #takeFree(need: number): Storage | undefined {
    const exact = this.#free.get(need)?.pop();
    if (exact) return exact;
    let best = Infinity;
    for (const [bytes, list] of this.#free) {
      if (list.length > 0 && bytes > need && bytes <= need * MAX_SLACK && bytes < best) {
        best = bytes;
      }
    }
    return this.#free.get(best)?.pop();
  }

  #create(bytes: number, tag: MemoryTag): Storage {
    if (bytes > this.maxBufferBytes) {
      throw new GpuOutOfMemoryError(bytes, this.maxBufferBytes, `a ${tag} buffer`);
    }
    if (this.allocatedBytes + bytes > this.budgetBytes) {
      this.trim();
      if (this.allocatedBytes + bytes > this.budgetBytes) {
        throw new GpuOutOfMemoryError(
          this.allocatedBytes + bytes,
          this.budgetBytes,
          `a ${tag} buffer within the budget`,
        );
      }
    }
    const buffer = this.device.createBuffer({ size: bytes, usage: usage(), label: tag });
    this.allocatedBytes += bytes;
    this.peakAllocatedBytes = Math.max(this.peakAllocatedBytes, this.allocatedBytes);
    this.buffersCreated++;
    return { id: this.#nextId++, buffer, bytes, tag, refs: 1, lastUse: -1 };
  }

  #counts(tag: MemoryTag): TagBytes {
    let counts = this.byTag.get(tag);
    if (!counts) this.byTag.set(tag, counts = { live: 0, peak: 0 });
    return counts;
  }
}

/** Puts a storage in its place of a list sorted by falling id. */
function insertDescending(list: Storage[], storage: Storage): void {
  let i = list.length;
  while (i > 0 && list[i - 1].id < storage.id) i--;
  list.splice(i, 0, storage);
}
