/**
 * Getting a WebGPU adapter on any machine: probing, the bundled software driver, and starting a
 * child that sees it.
 * @module
 */
export { ADAPTER_CHOICES, type AdapterChoice, findAdapterChoice } from "./adapter_choice.ts";
export {
  type BundledDriver,
  bundledDriverFolder,
  type BundledDriverOptions,
  ensureBundledDriver,
} from "./bundled_driver.ts";
export { hasBundledAdapter, installHint } from "./install_hint.ts";
export { prepareAdapter } from "./prepare_adapter.ts";
export { probeAdapter } from "./probe_adapter.ts";
export { runChild, type RunChildOptions } from "./run_child.ts";
export {
  type AdapterSelection,
  type ProbeResult,
  selectAdapter,
  type SelectAdapterOptions,
} from "./select_adapter.ts";
export { SWIFTSHADER } from "./swiftshader.ts";
export { readTar, type TarEntry } from "./tar.ts";
