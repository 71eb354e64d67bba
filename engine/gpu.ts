import { type AdapterInfo, describeAdapter, limitsOf } from "./adapter_info.ts";
import { type ProfileRow, profileRows, TimestampClock, type Timing } from "./clock.ts";
import { BindingTooLargeError, DeviceLostError, NoAdapterError, ShapeError } from "./errors.ts";
import type { Kernel } from "./kernel.ts";
import { BufferPool, type MemoryTag, type Storage } from "./memory.ts";
import { fillKernel } from "./kernels/fill.ts";
import { type BoundRange, PipelineCache } from "./pipelines.ts";
import { Readbacks } from "./readback.ts";
import { CommandRecorder } from "./recorder.ts";
import { type Recorded, Tape } from "./tape.ts";
import { type DType, type Shape, showShape, sizeOf, Tensor } from "./tensor.ts";

/** Options of `Gpu.open`. */
export interface GpuOptions {
  /** Most bytes of GPU buffers; an allocation over it is a `GpuOutOfMemoryError`. @default {Infinity} */
  readonly memoryBudgetBytes?: number;
  /** Fill every buffer with NaN before use, so that a kernel which skips an element is seen. For tests. @default {false} */
  readonly poison?: boolean;
  /** Adapter to use instead of asking for the fastest. */
  readonly adapter?: GPUAdapter;
}

/** Objects made and commands sent since the device was opened. */
export interface GpuCounters {
  readonly dispatches: number;
  readonly submissions: number;
  readonly buffersCreated: number;
  readonly pipelinesCreated: number;
  readonly bindGroupsCreated: number;
}

/** Host arrays a tensor can be made from or read into. */
export type HostArray = Float32Array | Int32Array | Uint32Array;

const FEATURES = ["timestamp-query", "shader-f16", "subgroups"] as const;

/** Bits of a quiet NaN; also a negative integer no index or label ever has. */
const POISON_BITS = 0xffc00000;

/**
 * One GPU: its device, memory, compiled kernels and the commands being recorded. Everything in the engine hangs on such an object;
 * there is no hidden global device.
 *
 * @example
 * ```ts ignore
 * const gpu = await Gpu.open();
 * const x = gpu.tensor([1, 2, 3, 4], [2, 2]);
 * console.log(await gpu.read(matmul(x, x)));
 * ```
 */
export class Gpu {
  readonly memory: BufferPool;
  /** Tape that operations record on, if any. */
  tape: Tape | undefined;
  /** Per-adapter choices such as tuned kernel variants; the keys belong to the modules that set them. */
  readonly choices = new Map<string, string>();
  readonly #recorder: CommandRecorder;
  readonly #pipelines: PipelineCache;
  readonly #readbacks: Readbacks;
  readonly #clocks: { pass?: TimestampClock; dispatch?: TimestampClock } = {};
  readonly #scopes: Tensor[][] = [];
  #failure: Error | undefined;

  private constructor(
    readonly device: GPUDevice,
    readonly info: AdapterInfo,
    private readonly options: GpuOptions,
  ) {
    const { limits } = info;
    this.#recorder = new CommandRecorder(device, limits.minUniformBufferOffsetAlignment);
    this.#pipelines = new PipelineCache(device, this.#recorder.arena, (error) => this.#fail(error));
    this.#readbacks = new Readbacks(device, this.#recorder);
    this.memory = new BufferPool(
      device,
      limits.maxBufferSize,
      options.memoryBudgetBytes ?? Infinity,
      () => {
        this.submit();
        this.#pipelines.forgetBindGroups();
      },
    );
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.#fail((event as GPUUncapturedErrorEvent).error as unknown as Error);
    });
    device.lost.then((lost) => this.#failure = new DeviceLostError(lost.message || lost.reason));
  }

  /** Opens the fastest adapter with its full limits and the optional features it offers. */
  static async open(options: GpuOptions = {}): Promise<Gpu> {
    const gpu = globalThis.navigator?.gpu;
    if (!gpu) throw new NoAdapterError("this runtime has no WebGPU (navigator.gpu is missing)");
    const adapter = options.adapter ??
      await gpu.requestAdapter({ powerPreference: "high-performance" });
    if (!adapter) throw new NoAdapterError("WebGPU found no adapter");
    const requiredFeatures = FEATURES.filter((name) =>
      adapter.features.has(name)
    ) as GPUFeatureName[];
    const device = await adapter.requestDevice({
      requiredFeatures,
      requiredLimits: limitsOf(adapter.limits),
    });
    return new Gpu(device, describeAdapter(adapter, requiredFeatures), options);
  }

  get counters(): GpuCounters {
    return {
      dispatches: this.#recorder.dispatches,
      submissions: this.#recorder.submissions,
      buffersCreated: this.memory.buffersCreated,
      pipelinesCreated: this.#pipelines.pipelinesCreated,
      bindGroupsCreated: this.#pipelines.bindGroupsCreated,
    };
  }

  // ---- tensors -------------------------------------------------------------------------------------------------------------

  /** A tensor with unspecified contents. */
  empty(shape: Shape, dtype: DType = "f32", tag: MemoryTag = "activations"): Tensor {
    const tensor = this.#allocate(shape, dtype, tag);
    if (this.options.poison) this.#fillBits(tensor, POISON_BITS);
    return tensor;
  }

  /** A tensor with every element equal to `value`. */
  full(shape: Shape, value: number, dtype: DType = "f32", tag: MemoryTag = "activations"): Tensor {
    const tensor = this.empty(shape, dtype, tag);
    this.fill(tensor, value);
    return tensor;
  }

  /** A tensor of zeros. */
  zeros(shape: Shape, dtype: DType = "f32", tag: MemoryTag = "activations"): Tensor {
    return this.full(shape, 0, dtype, tag);
  }

  /** A tensor with these contents. Plain number arrays become f32. */
  tensor(data: HostArray | readonly number[], shape: Shape, tag: MemoryTag = "data"): Tensor {
    const array = ArrayBuffer.isView(data) ? data as HostArray : new Float32Array(data as number[]);
    if (array.length !== sizeOf(shape)) {
      throw new ShapeError(
        `Cannot make a tensor of shape ${showShape(shape)}: got ${array.length} values`,
      );
    }
    const dtype = array instanceof Float32Array
      ? "f32"
      : array instanceof Int32Array
      ? "i32"
      : "u32";
    const tensor = this.#allocate(shape, dtype, tag);
    this.upload(tensor, array);
    return tensor;
  }

  /** Overwrites a tensor from the host. Commands recorded earlier still see the old contents. */
  upload(tensor: Tensor, data: HostArray): void {
    this.check();
    if (data.length !== tensor.size) {
      throw new ShapeError(
        `Cannot upload ${data.length} values to ${tensor}: expected ${tensor.size}`,
      );
    }
    const { storage } = tensor;
    // A queue write runs before commands that are still being recorded, so those that name this buffer go first.
    if (storage.lastUse === this.#recorder.submissions) this.submit();
    if (data.byteLength > 0) {
      this.device.queue.writeBuffer(
        storage.buffer,
        tensor.byteOffset,
        data.buffer as ArrayBuffer,
        data.byteOffset,
        data.byteLength,
      );
    }
  }

  /** Sets every element. */
  fill(tensor: Tensor, value: number): void {
    const bits = new DataView(new ArrayBuffer(4));
    if (tensor.dtype === "f32") bits.setFloat32(0, value);
    else bits.setInt32(0, value);
    this.#fillBits(tensor, bits.getUint32(0));
  }

  /** @internal A tensor that shares the storage of `tensor`. */
  viewOf(tensor: Tensor, shape: Shape, byteOffset: number): Tensor {
    tensor.storage.refs++;
    const view = new Tensor(this, shape, tensor.dtype, tensor.storage, byteOffset);
    this.#own(view);
    return view;
  }

  /** @internal */
  releaseStorage(storage: Storage): void {
    if (--storage.refs === 0) this.memory.release(storage);
  }

  /**
   * Runs `body` and releases every tensor made in it, except those it returns (a tensor, or an array or record of tensors) and those
   * marked with `keep()`.
   */
  scope<T>(body: () => T): T {
    const owned: Tensor[] = [];
    this.#scopes.push(owned);
    let result: T | undefined;
    try {
      return result = body();
    } finally {
      this.#scopes.pop();
      const returned = tensorsIn(result);
      for (const tensor of owned) {
        if (returned.has(tensor)) this.#own(tensor);
        else if (!tensor.isKept) tensor.dispose();
      }
    }
  }

  // ---- automatic differentiation -----------------------------------------------------------------------------------------

  /** Runs `body` with a fresh tape: operations on tensors that require gradients are recorded. */
  withTape<T>(body: (tape: Tape) => T): T {
    const outer = this.tape;
    const tape = this.tape = new Tape(this);
    try {
      return body(tape);
    } finally {
      this.tape = outer;
    }
  }

  /** Runs `body` without recording. */
  withoutTape<T>(body: () => T): T {
    const outer = this.tape;
    this.tape = undefined;
    try {
      return body();
    } finally {
      this.tape = outer;
    }
  }

  /** True when an operation on these inputs will be differentiated, so that it has to save what `backward` needs. */
  isRecording(...inputs: readonly (Tensor | undefined)[]): boolean {
    return this.tape !== undefined && inputs.some((t) => t?.requiresGrad);
  }

  /** Puts an operation on the tape if one of its inputs requires a gradient. Returns its output. */
  record(node: Recorded): Tensor {
    if (this.tape && node.inputs.some((t) => t.requiresGrad)) this.tape.record(node);
    return node.output;
  }

  // ---- commands ----------------------------------------------------------------------------------------------------------

  /** Records one dispatch. `tensors` follow the order of the kernel's bindings. */
  run(kernel: Kernel, tensors: readonly Tensor[]): void {
    if (this.#failure) throw this.#failure;
    const pipeline = this.#pipelines.pipeline(kernel);
    const limit = this.info.limits.maxStorageBufferBindingSize;
    const ranges: BoundRange[] = new Array(tensors.length);
    for (let i = 0; i < tensors.length; i++) {
      const { storage, byteOffset, byteLength } = tensors[i];
      const size = Math.max(16, Math.ceil(byteLength / 16) * 16);
      if (size > limit) {
        throw new BindingTooLargeError(
          size,
          limit,
          `${kernel.bindings[i].name} ${showShape(tensors[i].shape)} of ${kernel.name}`,
        );
      }
      storage.lastUse = this.#recorder.submissions;
      ranges[i] = { storageId: storage.id, buffer: storage.buffer, offset: byteOffset, size };
    }
    this.#recorder.dispatch(
      pipeline,
      this.#pipelines.bindGroup(pipeline, ranges),
      kernel.uniforms,
      kernel.grid,
    );
  }

  /** Sends everything recorded so far to the GPU. */
  submit(): void {
    this.check();
    this.#recorder.submit();
    this.#readbacks.submitted();
  }

  /** Waits until the GPU has done everything that was submitted. */
  async idle(): Promise<void> {
    this.submit();
    await this.device.queue.onSubmittedWorkDone();
    this.check();
  }

  /** Reads a tensor now: submits, waits, copies. */
  async read(tensor: Tensor): Promise<HostArray> {
    const later = this.readLater(tensor);
    this.submit();
    return await later.value;
  }

  /** Reads an f32 tensor now. */
  async readFloats(tensor: Tensor): Promise<Float32Array> {
    return await this.read(tensor) as Float32Array;
  }

  /**
   * Copies a tensor to the host as part of the commands being recorded. Awaiting the value a step or more later costs no wait for
   * the GPU.
   */
  readLater(tensor: Tensor): { value: Promise<HostArray> } {
    this.check();
    const { storage, byteOffset, byteLength, dtype } = tensor;
    storage.lastUse = this.#recorder.submissions;
    const value = this.#readbacks.read(storage.buffer, byteOffset, byteLength).then((bytes) => {
      this.check();
      return dtype === "f32"
        ? new Float32Array(bytes)
        : dtype === "i32"
        ? new Int32Array(bytes)
        : new Uint32Array(bytes);
    }, (error) => {
      throw this.#failure ?? error;
    });
    return { value };
  }

  /** Copies the contents of one tensor into another of the same size. */
  copy(source: Tensor, target: Tensor): void {
    if (source.size !== target.size) {
      throw new ShapeError(`Cannot copy ${source} to ${target}: the sizes differ`);
    }
    source.storage.lastUse = target.storage.lastUse = this.#recorder.submissions;
    this.#recorder.copy(
      source.storage.buffer,
      source.byteOffset,
      target.storage.buffer,
      target.byteOffset,
      source.byteLength,
    );
  }

  // ---- time --------------------------------------------------------------------------------------------------------------

  /** Time of what `body` records, in one submission of its own. */
  async time(body: () => void): Promise<Timing> {
    this.submit();
    const clock = this.info.hasTimestamps
      ? this.#clocks.pass ??= new TimestampClock(this.device, false)
      : undefined;
    clock?.reset();
    this.#recorder.clock = clock;
    const started = performance.now();
    try {
      body();
      this.submit();
    } finally {
      this.#recorder.clock = undefined;
    }
    const times = clock ? await clock.times() : (await this.idle(), undefined);
    const wallNs = Math.round((performance.now() - started) * 1e6);
    this.check();
    if (!times?.length) return { ns: wallNs, wallNs, clock: "wall" };
    return { ns: Number(times[times.length - 1] - times[0]), wallNs, clock: "timestamp-query" };
  }

  /** Time of what `body` records by kernel; needs timestamp queries. Each dispatch gets a pass of its own, which costs a little. */
  async profile(body: () => void): Promise<ProfileRow[]> {
    if (!this.info.hasTimestamps) {
      throw new TypeError("Cannot profile: the adapter has no timestamp-query feature");
    }
    this.submit();
    const clock = this.#clocks.dispatch ??= new TimestampClock(this.device, true);
    clock.reset();
    this.#recorder.clock = clock;
    try {
      body();
      this.submit();
    } finally {
      this.#recorder.clock = undefined;
    }
    const times = await clock.times();
    this.check();
    return profileRows(clock.labels, times);
  }

  // ---- errors ------------------------------------------------------------------------------------------------------------

  /** Throws the error the device reported since the last call, if any. WebGPU reports them late, so none may pass silently. */
  check(): void {
    const failure = this.#failure;
    if (!failure) return;
    if (!(failure instanceof DeviceLostError)) this.#failure = undefined;
    throw failure;
  }

  /** Frees the device and everything on it. */
  destroy(): void {
    this.#clocks.pass?.destroy();
    this.#clocks.dispatch?.destroy();
    this.device.destroy();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
  }

  #allocate(shape: Shape, dtype: DType, tag: MemoryTag): Tensor {
    if (shape.some((n) => !Number.isInteger(n) || n < 0)) {
      throw new ShapeError(
        `Cannot make a tensor: shape is ${showShape(shape)}, expected non-negative integers`,
      );
    }
    const tensor = new Tensor(this, shape, dtype, this.memory.acquire(sizeOf(shape) * 4, tag));
    this.#own(tensor);
    return tensor;
  }

  #own(tensor: Tensor): void {
    this.#scopes.at(-1)?.push(tensor);
  }

  #fillBits(tensor: Tensor, bits: number): void {
    if (tensor.size > 0) this.run(fillKernel(tensor.size, bits), [tensor]);
  }
}

function tensorsIn(value: unknown): Set<Tensor> {
  if (value instanceof Tensor) return new Set([value]);
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return new Set();
  return new Set(Object.values(value).filter((v) => v instanceof Tensor));
}
