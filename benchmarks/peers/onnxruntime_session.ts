/** A tensor of onnxruntime-web, on the host or in a GPU buffer. */
export interface OrtTensor {
  readonly dims: readonly number[];
  getData(releaseData?: boolean): Promise<Float32Array>;
  dispose(): void;
}

/** A loaded model. */
export interface OrtSession {
  run(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}

/** The part of onnxruntime-web that is used here. */
export interface Ort {
  readonly env: {
    logLevel: string;
    readonly wasm: { wasmBinary?: Uint8Array; numThreads?: number };
  };
  readonly InferenceSession: {
    create(model: Uint8Array, options: Record<string, unknown>): Promise<OrtSession>;
  };
  readonly Tensor: {
    new (
      type: string,
      data: Float32Array | Int32Array | BigInt64Array,
      dims: readonly number[],
    ): OrtTensor;
    fromGpuBuffer(
      buffer: GPUBuffer,
      options: { dataType: string; dims: readonly number[]; dispose?: () => void },
    ): OrtTensor;
  };
}

/** Loads a model on a provider. */
export function createSession(
  ort: Ort,
  backend: "webgpu" | "wasm",
  model: Uint8Array,
): Promise<OrtSession> {
  return ort.InferenceSession.create(model, {
    executionProviders: [backend],
    // Errors only: it would warn that shape arithmetic runs on the CPU.
    logSeverityLevel: 3,
    // Results stay on the device, as its guide on IO binding advises.
    ...(backend === "webgpu" ? { preferredOutputLocation: "gpu-buffer" } : {}),
  });
}

/** Puts data into a GPU buffer of the library's device. */
export function uploadBuffer(device: GPUDevice, data: Float32Array | Int32Array): GPUBuffer {
  const buffer = device.createBuffer({
    // The provider binds whole blocks of 16 bytes.
    size: Math.ceil(data.byteLength / 16) * 16,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>);
  return buffer;
}
