import { type Host, joinPath } from "../host.ts";
import { UserError } from "../user_error.ts";
import type { AdapterChoice } from "./adapter_choice.ts";
import { type BundledDriverOptions, ensureBundledDriver } from "./bundled_driver.ts";
import { hasBundledAdapter, installHint } from "./install_hint.ts";

/** What a probe of this process found. */
export type ProbeResult = "hardware" | "software" | "none";

/** Environment variables that the measuring process needs. */
export interface AdapterSelection {
  readonly kind: "installed" | "bundled";
  readonly environment: Record<string, string>;
}

/** Options of {@link selectAdapter}; the machine's facts are arguments so that tests can vary them. */
export interface SelectAdapterOptions {
  choice: AdapterChoice;
  os: string;
  arch: string;
  /** Absolute path of the project folder. */
  projectDir: string;
  probe: () => Promise<ProbeResult>;
  /** Replaces the download in tests. */
  fetchArchive?: BundledDriverOptions["fetchArchive"];
}

/**
 * The native interfaces. OpenGL is left out: its compute support differs by driver, and where it
 * is all there is, the bundled Vulkan driver is better.
 */
export const NATIVE_BACKENDS = "vulkan,metal,dx12";

/**
 * Decides which adapter a run uses and unpacks the bundled one only if it is needed, saying so in
 * one line on standard error.
 *
 * @throws {UserError} Exit code 1 when no adapter of the wanted kind can be had; the message says
 * what to install.
 */
export async function selectAdapter(
  host: Host,
  options: SelectAdapterOptions,
): Promise<AdapterSelection> {
  const { choice, os, arch } = options;
  const environment: Record<string, string> = {};
  if (host.env("DENO_WEBGPU_BACKEND") === undefined) {
    environment.DENO_WEBGPU_BACKEND = NATIVE_BACKENDS;
  }
  if (choice !== "bundled") {
    const found = await options.probe();
    if (found === "hardware" || (found === "software" && choice === "any")) {
      return { kind: "installed", environment };
    }
    if (choice === "hardware") {
      const what = found === "software" ? "the only adapter is a software one" : "there is none";
      throw new UserError(
        `Cannot use a hardware adapter: ${what}; ${installHint(os, arch)}`,
        1,
      );
    }
  }
  if (!hasBundledAdapter(os, arch)) {
    const wanted = choice === "bundled"
      ? "Cannot use the bundled software adapter: it runs on Linux x64 only"
      : "Cannot find a WebGPU adapter";
    throw new UserError(`${wanted}, this is ${os} ${arch}; ${installHint(os, arch)}`, 1);
  }
  return await useBundled(host, options, environment);
}

async function useBundled(
  host: Host,
  options: SelectAdapterOptions,
  environment: Record<string, string>,
): Promise<AdapterSelection> {
  const absolute = (path: string) =>
    path.startsWith("/") ? path : joinPath(options.projectDir, path);
  const why = options.choice === "bundled" ? "As asked" : "No WebGPU adapter found";
  const notice = `${why}: restarting with the bundled software adapter SwiftShader`;
  const started = performance.now();
  const driver = await ensureBundledDriver(host, {
    absoluteCacheDir: absolute(host.cacheDir),
    // One line in the end, begun before the download so that a slow network is not silence.
    onUnpack: () => host.writeError(`${notice} (unpacking, about 70 MB to download once ...`),
    fetchArchive: options.fetchArchive,
  });
  const folder = absolute(driver.folder);
  const manifest = absolute(driver.manifest);
  const libraries = host.env("LD_LIBRARY_PATH");
  Object.assign(environment, {
    LD_LIBRARY_PATH: libraries ? `${folder}:${libraries}` : folder,
    VK_ICD_FILENAMES: manifest,
    VK_DRIVER_FILES: manifest,
    DENO_WEBGPU_BACKEND: "vulkan",
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  host.printError(driver.unpacked ? ` done in ${seconds} s)` : notice);
  return { kind: "bundled", environment };
}
