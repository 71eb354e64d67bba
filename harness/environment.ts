/**
 * The fingerprint of where a run happens. Nothing in it is typed by hand, and nothing names the
 * person or the host: the machine's folder is called after its adapter unless `--machine` is given.
 * @module
 */
import os from "node:os";
import type { AdapterInfo } from "../engine/adapter_info.ts";
import { describeDriver } from "./driver.ts";
import type { Host } from "./host.ts";
import type { Environment, System } from "./result_schema.ts";

/** Variables that change what a run does; recorded with their values. */
const RECORDED_VARIABLES = [
  "ATTENTION_BENCH_ADAPTER",
  "DENO_WEBGPU_BACKEND",
  "LP_NUM_THREADS",
  "VK_DRIVER_FILES",
  "VK_ICD_FILENAMES",
];

/** Options of {@link describeSystem}. */
export interface SystemOptions {
  /** Folder name under results/. @default a name made from the adapter and the processor */
  machine?: string;
}

/** Machine, adapter and driver. */
export async function describeSystem(
  info: AdapterInfo,
  host: Host,
  options: SystemOptions = {},
): Promise<System> {
  const processor = attempt(() => os.cpus()[0]?.model.trim()) || null;
  const adapterName = info.description || [info.vendor, info.architecture].join(" ").trim() ||
    "unknown adapter";
  const { driver, memoryBytes } = await describeDriver(info, host);
  return {
    machine: options.machine ?? host.env("ATTENTION_BENCH_MACHINE") ??
      machineName(info.class === "software" ? [adapterName, processor ?? ""] : [adapterName]),
    systemName: processor ? `${adapterName} / ${processor}` : adapterName,
    operatingSystem: [Deno.build.os, attempt(() => Deno.osRelease())].filter(Boolean).join(" "),
    architecture: Deno.build.arch,
    hostProcessorModelName: processor,
    hostProcessorCores: navigator.hardwareConcurrency ?? null,
    hostMemoryCapacityBytes: attempt(() => Deno.systemMemoryInfo().total) ?? null,
    accelerator: {
      class: info.class,
      vendor: info.vendor,
      architecture: info.architecture,
      device: info.device,
      description: info.description,
      isFallbackAdapter: info.isFallbackAdapter,
      hasTimestamps: info.hasTimestamps,
      features: [...info.features].sort(),
      limits: { ...info.limits },
      memoryCapacityBytes: memoryBytes,
      driver,
      backend: backendOf(host),
    },
    swNotes: "",
    hwNotes: "",
  };
}

/** Runtime versions, lock file and the variables in force. */
export async function describeEnvironment(host: Host): Promise<Environment> {
  const lock = await host.readFile("deno.lock");
  const variables = RECORDED_VARIABLES.flatMap((name) => {
    const value = host.env(name);
    // Paths differ by machine and say nothing more than the file's name does.
    return value === undefined ? [] : [[name, value.split(/[/\\]/).at(-1)!]];
  });
  return {
    runtime: "deno",
    runtimeVersion: Deno.version.deno,
    v8: Deno.version.v8,
    typescript: Deno.version.typescript,
    userAgent: null,
    lockSha256: lock ? new Uint8Array(await crypto.subtle.digest("SHA-256", lock)).toHex() : null,
    flags: await unstableFlags(host),
    variables: Object.fromEntries(variables),
    continuousIntegration: host.env("CI") !== undefined && host.env("CI") !== "false",
  };
}

/** Flags that deno.json puts in force for every command. */
async function unstableFlags(host: Host): Promise<string[]> {
  const text = await host.readText("deno.json");
  const { unstable = [] } = text ? JSON.parse(text) as { unstable?: string[] } : {};
  return unstable.map((name) => `--unstable-${name}`);
}

/** A folder name from words: lower case, dashes, at most 60 characters. */
export function machineName(words: readonly string[]): string {
  const name = words.join(" ").toLowerCase().replaceAll(/\((?:r|tm|c)\)/g, "")
    .replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-+|-+$/g, "").slice(0, 60).replace(/-+$/, "");
  return name || "unknown";
}

function backendOf(host: Host): string | null {
  const asked = host.env("DENO_WEBGPU_BACKEND");
  if (asked && !asked.includes(",")) return asked;
  if (Deno.build.os === "darwin") return "metal";
  // The launcher leaves out OpenGL, and Linux has no other of the three.
  return Deno.build.os === "linux" && asked ? "vulkan" : null;
}

/** The result of a call that needs a permission or a platform that may be missing. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
