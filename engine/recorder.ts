import type { Grid, Uniform } from "./kernel.ts";
import type { Pipeline } from "./pipelines.ts";

/** Uniforms of one submission; a fuller arena is submitted early. */
const ARENA_BYTES = 1 << 19;

/** Receives begin and end of compute passes while a timed region is open. */
export interface PassClock {
  /** Timestamp writes for the next pass. */
  nextPass(label: string): GPUComputePassTimestampWrites | undefined;
  /** True when each dispatch gets a pass of its own. */
  readonly perDispatch: boolean;
  /** Called once before the commands are finished. */
  resolve(encoder: GPUCommandEncoder): void;
}

/**
 * Records dispatches into one compute pass of one command buffer until `submit`. Uniforms go into an arena that is uploaded once per
 * submission and addressed by dynamic offset, so that bind groups do not depend on their values.
 */
export class CommandRecorder {
  readonly arena: GPUBuffer;
  dispatches = 0;
  submissions = 0;
  clock: PassClock | undefined;
  readonly #staging = new ArrayBuffer(ARENA_BYTES);
  readonly #stagingU32 = new Uint32Array(this.#staging);
  readonly #stagingI32 = new Int32Array(this.#staging);
  readonly #stagingF32 = new Float32Array(this.#staging);
  readonly #offsets: number[] = [0];
  #used = 0;
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  #bound: Pipeline | undefined;

  constructor(private readonly device: GPUDevice, private readonly uniformAlignment: number) {
    this.arena = device.createBuffer({
      label: "uniforms",
      size: ARENA_BYTES,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
  }

  /** True when commands wait for `submit`. */
  get hasPending(): boolean {
    return this.#encoder !== undefined;
  }

  dispatch(
    pipeline: Pipeline,
    group: GPUBindGroup,
    uniforms: readonly Uniform[],
    grid: Grid,
  ): void {
    if (this.#used + pipeline.uniformBytes + this.uniformAlignment > ARENA_BYTES) this.submit();
    if (this.clock?.perDispatch) this.#endPass();
    const pass = this.#pass ?? this.#beginPass(pipeline.label);
    if (this.#bound !== pipeline) {
      pass.setPipeline(pipeline.pipeline);
      this.#bound = pipeline;
    }
    if (pipeline.uniformBytes > 0) {
      this.#offsets[0] = this.#writeUniforms(uniforms, pipeline.uniformBytes);
      pass.setBindGroup(0, group, this.#offsets);
    } else {
      pass.setBindGroup(0, group);
    }
    pass.dispatchWorkgroups(grid[0], grid[1], grid[2]);
    this.dispatches++;
  }

  copy(
    source: GPUBuffer,
    sourceOffset: number,
    target: GPUBuffer,
    targetOffset: number,
    bytes: number,
  ): void {
    this.#endPass();
    this.#commands().copyBufferToBuffer(source, sourceOffset, target, targetOffset, bytes);
  }

  /** Sends everything recorded since the last call as one command buffer; does nothing when there is none. */
  submit(): void {
    const encoder = this.#encoder;
    if (!encoder) return;
    this.#endPass();
    this.clock?.resolve(encoder);
    if (this.#used > 0) this.device.queue.writeBuffer(this.arena, 0, this.#staging, 0, this.#used);
    this.device.queue.submit([encoder.finish()]);
    this.#encoder = undefined;
    this.#used = 0;
    this.submissions++;
  }

  #commands(): GPUCommandEncoder {
    return this.#encoder ??= this.device.createCommandEncoder();
  }

  #beginPass(label: string): GPUComputePassEncoder {
    const timestampWrites = this.clock?.nextPass(label);
    this.#bound = undefined;
    return this.#pass = this.#commands().beginComputePass(
      timestampWrites ? { timestampWrites } : undefined,
    );
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = undefined;
  }

  #writeUniforms(uniforms: readonly Uniform[], bytes: number): number {
    const offset = this.#used;
    let word = offset / 4;
    for (const { type, value } of uniforms) {
      if (type === "f32") this.#stagingF32[word] = value;
      else if (type === "i32") this.#stagingI32[word] = value;
      else this.#stagingU32[word] = value;
      word++;
    }
    const align = this.uniformAlignment;
    this.#used = Math.ceil((offset + bytes) / align) * align;
    return offset;
  }
}
