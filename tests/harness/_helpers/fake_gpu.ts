import type { Gpu } from "../../../engine/mod.ts";

/** The part of a Gpu that runner and timing touch, without a device. */
export function createFakeGpu(adapterClass: "hardware" | "software" = "software"): Gpu {
  return {
    info: {
      vendor: "test",
      architecture: "none",
      device: "none",
      description: "a fake for tests",
      class: adapterClass,
    },
    memory: { liveBytes: 0, transientBytes: 0, resetPeak() {} },
    idle: () => Promise.resolve(),
    scope: <T>(work: () => T) => work(),
    full: () => ({}),
    time(work: () => void) {
      const start = performance.now();
      work();
      const ns = (performance.now() - start) * 1e6;
      return Promise.resolve({ ns, wallNs: ns, clock: "wall" });
    },
  } as unknown as Gpu;
}
