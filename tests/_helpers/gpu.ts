import { Gpu } from "../../engine/mod.ts";

/** True when this machine has no WebGPU adapter; tests that need one are then ignored and the runner counts them. */
export const noAdapter = !(await navigator.gpu?.requestAdapter());

/** One device for all tests of a file. Buffers are filled with NaN before use, so that a kernel that skips an element is caught. */
export const gpu: Gpu = noAdapter
  ? (undefined as unknown as Gpu)
  : await Gpu.open({ poison: true });

// Several devices left to the end of the process have crashed llvmpipe at exit.
globalThis.addEventListener("unload", () => gpu?.destroy());

/** `Deno.test` for bodies that need the GPU; checks that no GPU error was swallowed and that no tensor leaked. */
export function gpuTest(name: string, body: () => void | Promise<void>): void {
  Deno.test({
    name,
    ignore: noAdapter,
    // Mapping a buffer finishes on the device's own timer.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      await body();
      await gpu.idle();
    },
  });
}
