import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { withDefault } from "@optique/core/modifiers";
import { command, constant, flag } from "@optique/core/primitives";
import { Gpu } from "../../engine/mod.ts";
import { bundledDriverFolder, hasBundledAdapter, installHint } from "../adapter/mod.ts";
import { calibrate } from "../calibration.ts";
import { describeEnvironment, describeSystem } from "../environment.ts";
import { readGitSource } from "../git_source.ts";
import { type Host, joinPath } from "../host.ts";
import type { Calibration, System } from "../result_schema.ts";
import { median } from "../statistics/mod.ts";
import { adapterOption } from "./options.ts";

/** `doctor [--adapter choice] [--quick] [--json]` */
export const doctorCommand = command(
  "doctor",
  object({
    command: constant("doctor"),
    adapter: adapterOption,
    quick: withDefault(
      flag("--quick", { description: message`Leave out the calibration.` }),
      false,
    ),
    json: withDefault(
      flag("--json", { description: message`Print JSON for another program.` }),
      false,
    ),
  }),
  { description: message`Describe this machine and say what is missing.` },
);

/** One line of advice or trouble. */
interface Finding {
  readonly level: "ok" | "note" | "problem";
  readonly text: string;
}

/** Examines the machine. Exit code 1 where no adapter can be had or it does not work. */
export async function runDoctor(
  options: { quick: boolean; json: boolean },
  host: Host,
): Promise<number> {
  const findings: Finding[] = [];
  const examined = await examineAdapter(host, findings, options.quick);
  await examineFolders(host, findings);
  const environment = await describeEnvironment(host);
  const source = await readGitSource();
  if (source.commit === null) {
    findings.push({
      level: "note",
      text: "git is missing or this is no repository: results will " +
        "carry no commit",
    });
  }
  if (environment.lockSha256 === null) {
    findings.push({
      level: "note",
      text: "deno.lock is missing: package versions are not recorded",
    });
  }
  if (options.json) {
    host.print(JSON.stringify({ ...examined, environment, source, findings }, null, 2));
  } else {
    if (examined.system) printSystem(host, examined.system);
    if (examined.calibration) printCalibration(host, examined.calibration);
    host.print(
      `Software       Deno ${environment.runtimeVersion}, V8 ${environment.v8}, ` +
        `TypeScript ${environment.typescript}`,
    );
    for (const { level, text } of findings) host.print(`${level.padEnd(14)} ${text}`);
  }
  return findings.some(({ level }) => level === "problem") ? 1 : 0;
}

async function examineAdapter(
  host: Host,
  findings: Finding[],
  quick: boolean,
): Promise<{ system: System | null; calibration: Calibration | null }> {
  const problem = (text: string) => findings.push({ level: "problem", text });
  const known = host.env("ATTENTION_BENCH_ADAPTER_PROBLEM");
  if (known) {
    problem(known);
    return { system: null, calibration: null };
  }
  let gpu: Gpu;
  try {
    gpu = await Gpu.open();
  } catch (error) {
    problem(`${messageOf(error)}; ${installHint(Deno.build.os, Deno.build.arch)}`);
    return { system: null, calibration: null };
  }
  const system = await describeSystem(gpu.info, host);
  findings.push({ level: "ok", text: `the adapter is usable (${gpu.info.class})` });
  if (!gpu.info.hasTimestamps) {
    findings.push({ level: "note", text: "no timestamp queries: GPU times are wall times" });
  }
  if (gpu.info.class === "software") {
    findings.push({
      level: "note",
      text: "software adapter: presets default to smoke, and its " +
        "results are never ranked with hardware; for a GPU, " +
        installHint(Deno.build.os, Deno.build.arch),
    });
  }
  try {
    if (quick) return { system, calibration: null };
    const calibration = await calibrate(gpu, { at: "before", now: () => host.now() });
    return { system, calibration };
  } catch (error) {
    problem(`the calibration failed: ${messageOf(error)}`);
    return { system, calibration: null };
  } finally {
    gpu.destroy();
  }
}

async function examineFolders(host: Host, findings: Finding[]): Promise<void> {
  for (const [name, folder] of [["results", host.resultsDir], ["cache", host.cacheDir]]) {
    const file = joinPath(folder, `doctor-${crypto.randomUUID()}.tmp`);
    try {
      await host.writeFileAtomic(file, "");
      await host.remove(file);
      findings.push({ level: "ok", text: `the ${name} folder ${folder} is writable` });
    } catch (error) {
      findings.push({ level: "problem", text: messageOf(error) });
    }
  }
  if (hasBundledAdapter(Deno.build.os, Deno.build.arch)) {
    const files = await host.list(bundledDriverFolder(host.cacheDir));
    const state = files.length > 0 ? "unpacked" : "not unpacked (done when needed)";
    findings.push({ level: "ok", text: `the bundled software adapter is ${state}` });
  }
}

function printSystem(host: Host, system: System): void {
  const { accelerator } = system;
  const mib = (bytes: number | undefined) =>
    bytes === undefined ? "unknown" : `${Math.round(bytes / 2 ** 20)} MiB`;
  const rows = {
    Adapter: accelerator.description || `${accelerator.vendor} ${accelerator.architecture}`,
    Class: accelerator.class + (accelerator.isFallbackAdapter ? " (fallback adapter)" : ""),
    Driver: accelerator.driver ?? "unknown",
    Interface: accelerator.backend ?? "unknown",
    Features: accelerator.features.join(", ") || "none of those the suite uses",
    Buffers: `${mib(accelerator.limits.maxBufferSize)} each, ` +
      `${mib(accelerator.limits.maxStorageBufferBindingSize)} per binding`,
    Workgroups: `${accelerator.limits.maxComputeInvocationsPerWorkgroup} invocations, ` +
      `${accelerator.limits.maxComputeWorkgroupStorageSize} bytes shared`,
    Processor: `${system.hostProcessorModelName ?? "unknown"}, ` +
      `${system.hostProcessorCores ?? "?"} cores`,
    Memory: mib(system.hostMemoryCapacityBytes ?? undefined),
    System: `${system.operatingSystem} ${system.architecture}`,
    Machine: system.machine,
  };
  for (const [name, value] of Object.entries(rows)) host.print(`${name.padEnd(14)} ${value}`);
}

function printCalibration(host: Host, calibration: Calibration): void {
  const giga = (rates: readonly number[]) => (median([...rates]) / 1e9).toPrecision(3);
  const micro = (times: readonly number[]) => (median([...times]) / 1e3).toPrecision(3);
  host.print(
    `Calibration    ${giga(calibration.f32FlopsPerSecond)} GFLOP/s (matmul of side ` +
      `${calibration.matmulSize}), ${giga(calibration.copyBytesPerSecond)} GB/s copy, ` +
      `${micro(calibration.launchNs)} us per launch`,
  );
  host.print(
    `Clock          ${calibration.clock}, quantum ` +
      (calibration.timestampQuantumNs === null
        ? "unknown"
        : `${calibration.timestampQuantumNs} ns`),
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
