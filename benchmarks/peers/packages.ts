/** The libraries compared, with the exact version each is loaded in. */

/** Name of a column of the report. */
export type LibraryName = "ours" | "jax-js" | "tfjs" | "onnxruntime-webgpu" | "onnxruntime-wasm";

/** The one that runs on the processor and not on the WebGPU adapter. */
export const PROCESSOR_LIBRARY: LibraryName = "onnxruntime-wasm";

/** Everything that is not ours. */
export type PeerName = Exclude<LibraryName, "ours">;

/** One npm package that a peer needs. */
export interface PeerPackage {
  readonly name: string;
  readonly version: string;
  /** Entry inside the package, with its leading slash. */
  readonly entry?: string;
}

const ONNXRUNTIME: PeerPackage = {
  name: "onnxruntime-web",
  version: "1.30.0",
  entry: "/webgpu",
};

/** Packages of each peer; the first one gives the version a row states. */
export const PEER_PACKAGES: Readonly<Record<PeerName, readonly PeerPackage[]>> = {
  "jax-js": [{ name: "@jax-js/jax", version: "0.1.25" }],
  "tfjs": [
    { name: "@tensorflow/tfjs", version: "4.22.0" },
    { name: "@tensorflow/tfjs-backend-webgpu", version: "4.22.0" },
  ],
  "onnxruntime-webgpu": [ONNXRUNTIME],
  "onnxruntime-wasm": [ONNXRUNTIME],
};

/** Names of all peers. */
export const PEER_NAMES = Object.keys(PEER_PACKAGES) as PeerName[];

/**
 * Imports a package. The specifier is put together at run time, so that no other command of the suite downloads or loads a peer.
 *
 * @returns The module's exports, of unknown type: the adapters declare the few they use.
 */
export async function importPeer(peer: PeerPackage): Promise<Record<string, unknown>> {
  const specifier = `npm:${peer.name}@${peer.version}${peer.entry ?? ""}`;
  return await import(specifier);
}

/**
 * Bytes of a file inside a package that was imported before: modules may be loaded where reading files is not permitted.
 *
 * @param path Exported path inside the package, with its leading slash.
 */
export async function importPeerBytes(peer: PeerPackage, path: string): Promise<Uint8Array> {
  const specifier = `npm:${peer.name}@${peer.version}${path}`;
  const module = await import(specifier, { with: { type: "bytes" } });
  return module.default as Uint8Array;
}
