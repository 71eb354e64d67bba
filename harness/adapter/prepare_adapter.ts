import { type Host, joinPath } from "../host.ts";
import type { AdapterChoice } from "./adapter_choice.ts";
import { probeAdapter } from "./probe_adapter.ts";
import { type AdapterSelection, selectAdapter } from "./select_adapter.ts";

/**
 * {@link selectAdapter} for the machine at hand. The process that calls this must not measure:
 * what it returns takes effect only in a child started with `selection.environment`.
 */
export async function prepareAdapter(host: Host, choice: AdapterChoice): Promise<AdapterSelection> {
  const projectDir = Deno.cwd();
  const runtimeDir = joinPath(projectDir, host.cacheDir, "runtime");
  const environment: Record<string, string> = {};
  if (Deno.build.os === "linux" && !host.env("XDG_RUNTIME_DIR")) {
    await host.makeDir(runtimeDir);
    await Deno.chmod(runtimeDir, 0o700); // its readers refuse a folder that others can enter
    environment.XDG_RUNTIME_DIR = runtimeDir;
  }
  const selection = await selectAdapter(host, {
    choice,
    os: Deno.build.os,
    arch: Deno.build.arch,
    projectDir,
    probe: () => probeAdapter(runtimeDir),
  });
  return { ...selection, environment: { ...environment, ...selection.environment } };
}
