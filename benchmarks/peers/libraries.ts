import type { Gpu } from "../../engine/mod.ts";
import type { LibraryAdapter } from "./adapter.ts";
import { watchGpu } from "./gpu_hooks.ts";
import { openJaxJs } from "./jax_js.ts";
import { openOnnxruntime } from "./onnxruntime.ts";
import { openOurs } from "./ours.ts";
import type { LibraryName } from "./packages.ts";
import { openTfjs } from "./tfjs.ts";

/** A library that was opened, and what its device complained about since. */
export interface OpenLibrary {
  readonly adapter: LibraryAdapter;
  /** Texts of uncaptured device errors, taken out by the reader. WebGPU gives zeros where nobody listens to them. */
  readonly deviceErrors: string[];
}

/**
 * Loads a library and opens its device.
 *
 * @param gpu Device of our engine; the peers open their own on the same adapter.
 * @throws Whatever the library throws; the caller makes a failed row of it.
 */
export async function openLibrary(name: LibraryName, gpu: Gpu): Promise<OpenLibrary> {
  // Hooks go in first: they give every device timestamps and count from the first buffer.
  const stop = watchGpu({});
  try {
    const adapter = await openAdapter(name, gpu);
    const deviceErrors: string[] = [];
    if (name !== "ours") {
      adapter.device?.addEventListener("uncapturederror", (event) => {
        event.preventDefault();
        deviceErrors.push((event as GPUUncapturedErrorEvent).error.message);
      });
    }
    return { adapter, deviceErrors };
  } finally {
    stop();
  }
}

async function openAdapter(name: LibraryName, gpu: Gpu): Promise<LibraryAdapter> {
  switch (name) {
    case "ours":
      return openOurs(gpu);
    case "jax-js":
      return await openJaxJs();
    case "tfjs":
      return await openTfjs();
    case "onnxruntime-webgpu":
    case "onnxruntime-wasm":
      return await openOnnxruntime(name);
  }
}

const opened = new WeakMap<Gpu, Map<LibraryName, Promise<OpenLibrary>>>();

/** As {@link openLibrary}, once per run: libraries keep their compiled kernels from case to case, as ours does. */
export function sharedLibrary(name: LibraryName, gpu: Gpu): Promise<OpenLibrary> {
  let libraries = opened.get(gpu);
  if (!libraries) opened.set(gpu, libraries = new Map());
  let library = libraries.get(name);
  if (!library) libraries.set(name, library = openLibrary(name, gpu));
  return library;
}
