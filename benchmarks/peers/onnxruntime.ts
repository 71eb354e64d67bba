import type { CaseOutputs, LibraryAdapter, PreparedCase } from "./adapter.ts";
import { watchGpu } from "./gpu_hooks.ts";
import { onnxInferenceCase } from "./onnx_inference.ts";
import { onnxCase } from "./onnx_cases.ts";
import { encodeOnnxModel } from "./onnx_graph.ts";
import {
  createSession,
  type Ort,
  type OrtSession,
  type OrtTensor,
  uploadBuffer,
} from "./onnxruntime_session.ts";
import { importPeer, importPeerBytes, PEER_PACKAGES } from "./packages.ts";

const WASM_PATH = "/ort-wasm-simd-threaded.asyncify.wasm";

/** Opens onnxruntime-web; its device appears with the first session, so a tiny one is made here. */
export async function openOnnxruntime(
  name: "onnxruntime-webgpu" | "onnxruntime-wasm",
): Promise<LibraryAdapter> {
  const [peer] = PEER_PACKAGES[name];
  const ort = await importPeer(peer) as unknown as Ort;
  ort.env.logLevel = "error";
  // Given as bytes, because it would otherwise read the file, which the benchmark may not.
  ort.env.wasm.wasmBinary ??= await importPeerBytes(peer, WASM_PATH);
  const backend = name === "onnxruntime-webgpu" ? "webgpu" : "wasm";
  let device: GPUDevice | null = null;
  const stop = watchGpu({ device: (made) => void (device ??= made) });
  try {
    const probe = onnxCase({ operation: "softmax", rows: 1, width: 4 }, {
      x: new Float32Array(4),
    })!;
    // Kept alive: the library gives its device back with the last session.
    probeSessions.push(await createSession(ort, backend, encodeOnnxModel(probe.graph)));
  } finally {
    stop();
  }
  device = backend === "webgpu" ? device ?? sharedDevice : null;
  sharedDevice = device ?? sharedDevice;
  if (backend === "webgpu" && !device) {
    throw new TypeError("Cannot use onnxruntime-web: its webgpu provider opened no device");
  }
  return {
    name,
    package: peer.name,
    version: peer.version,
    backend: backend === "webgpu" ? backend : `wasm, ${ort.env.wasm.numThreads ?? 1} thread`,
    device,
    prepare: (spec, inputs, { seed }) =>
      spec.operation === "gpt2-inference"
        ? onnxInferenceCase({ ort, backend, device }, spec, inputs, seed)
        : prepare(ort, backend, device, onnxCase(spec, inputs)),
  };
}

/** The library keeps one device while any session lives, also for a second opening. */
let sharedDevice: GPUDevice | null = null;
const probeSessions: OrtSession[] = [];

async function prepare(
  ort: Ort,
  backend: "webgpu" | "wasm",
  device: GPUDevice | null,
  built: ReturnType<typeof onnxCase>,
): Promise<PreparedCase | null> {
  if (!built) return null;
  const session = await createSession(ort, backend, encodeOnnxModel(built.graph));
  const buffers: GPUBuffer[] = [];
  const feeds = Object.fromEntries(built.graph.inputs.map(({ name, type, shape }) => {
    const data = built.feeds[name];
    if (!device) return [name, new ort.Tensor(type, data, shape)];
    const buffer = uploadBuffer(device, data);
    buffers.push(buffer);
    return [name, ort.Tensor.fromGpuBuffer(buffer, { dataType: type, dims: shape })];
  }));
  const drop = (results: Record<string, OrtTensor>) =>
    Object.values(results).forEach((tensor) => tensor.dispose());
  let pending: Promise<void> = Promise.resolve();
  return {
    notes: built.notes,
    run() {
      // A session does one run at a time; runs issued together wait for each other.
      pending = pending.then(async () => drop(await session.run(feeds)));
      // The failure is reported by `finish`; without this it would also count as unhandled.
      pending.catch(() => {});
    },
    async finish() {
      const issued = pending;
      pending = Promise.resolve();
      await issued;
      await device?.queue.onSubmittedWorkDone();
    },
    async outputs() {
      const results = await session.run(feeds);
      const outputs: Record<string, Float32Array> = {};
      for (const [name, tensor] of Object.entries(results)) {
        outputs[name] = (await tensor.getData()).slice();
      }
      drop(results);
      return outputs as CaseOutputs;
    },
    dispose() {
      // Nothing waits for the release: the next case makes a session of its own.
      void session.release();
      buffers.forEach((buffer) => buffer.destroy());
    },
  };
}
