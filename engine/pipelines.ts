import { GpuValidationError } from "./errors.ts";
import { type Kernel, kernelSource } from "./kernel.ts";

/** A compiled kernel. */
export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  /** Identifies the layout; bind groups are shared by all pipelines that have it. */
  readonly layoutKey: string;
  /** Bytes of the uniform struct, 0 when the kernel has none. */
  readonly uniformBytes: number;
  readonly label: string;
}

/** The part of a buffer that a binding covers. */
export interface BoundRange {
  readonly storageId: number;
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

/** Compiled kernels and bind groups, so that a steady training step creates neither. */
export class PipelineCache {
  pipelinesCreated = 0;
  bindGroupsCreated = 0;
  #pipelines = new Map<string, Pipeline>();
  #layouts = new Map<string, GPUBindGroupLayout>();
  #bindGroups = new Map<string, GPUBindGroup>();

  constructor(
    private readonly device: GPUDevice,
    private readonly uniformArena: GPUBuffer,
    private readonly onError: (error: Error) => void,
  ) {}

  /** The pipeline of a kernel, compiled at first use. */
  pipeline(kernel: Kernel): Pipeline {
    const key = `${kernel.name}|${kernel.key}`;
    const cached = this.#pipelines.get(key);
    if (cached) return cached;
    const uniformBytes = Math.ceil(kernel.uniforms.length / 4) * 16;
    const access = kernel.bindings.map((b) => b.access);
    const layoutKey = `${access.join()} ${uniformBytes}`;
    const layout = this.#layout(layoutKey, access, uniformBytes);
    this.device.pushErrorScope("validation");
    const module = this.device.createShaderModule({
      label: kernel.name,
      code: kernelSource(kernel),
    });
    const pipeline = this.device.createComputePipeline({
      label: kernel.name,
      layout: this.device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: "main" },
    });
    this.#report(key);
    this.pipelinesCreated++;
    const made = { pipeline, layout, layoutKey, uniformBytes, label: kernel.name };
    this.#pipelines.set(key, made);
    return made;
  }

  /** The bind group of a pipeline with these buffers, made at first use. */
  bindGroup(pipeline: Pipeline, ranges: readonly BoundRange[]): GPUBindGroup {
    let key = pipeline.layoutKey;
    for (const r of ranges) key += `|${r.storageId}:${r.offset}:${r.size}`;
    const cached = this.#bindGroups.get(key);
    if (cached) return cached;
    const entries: GPUBindGroupEntry[] = ranges.map(({ buffer, offset, size }, binding) => ({
      binding,
      resource: { buffer, offset, size },
    }));
    if (pipeline.uniformBytes > 0) {
      entries.push({
        binding: ranges.length,
        resource: { buffer: this.uniformArena, size: pipeline.uniformBytes },
      });
    }
    this.device.pushErrorScope("validation");
    const group = this.device.createBindGroup({
      label: pipeline.label,
      layout: pipeline.layout,
      entries,
    });
    this.#report(
      `${pipeline.label} with bindings ${
        ranges.map((r) => `${r.size} bytes at ${r.offset}`).join(", ")
      }`,
    );
    this.bindGroupsCreated++;
    this.#bindGroups.set(key, group);
    return group;
  }

  /** Forgets the bind groups; their buffers are about to be destroyed. */
  forgetBindGroups(): void {
    this.#bindGroups.clear();
  }

  #layout(
    key: string,
    access: readonly ("read" | "write")[],
    uniformBytes: number,
  ): GPUBindGroupLayout {
    let layout = this.#layouts.get(key);
    if (layout) return layout;
    const visibility = GPUShaderStage.COMPUTE;
    const entries: GPUBindGroupLayoutEntry[] = access.map((mode, binding) => ({
      binding,
      visibility,
      buffer: { type: mode === "read" ? "read-only-storage" : "storage" },
    }));
    if (uniformBytes > 0) {
      entries.push({
        binding: access.length,
        visibility,
        buffer: { type: "uniform", hasDynamicOffset: true, minBindingSize: uniformBytes },
      });
    }
    layout = this.device.createBindGroupLayout({ label: key, entries });
    this.#layouts.set(key, layout);
    return layout;
  }

  #report(what: string): void {
    this.device.popErrorScope().then(
      (error) => error && this.onError(new GpuValidationError(what, error.message)),
      () => {/* the device was lost; its own error is reported */},
    );
  }
}
