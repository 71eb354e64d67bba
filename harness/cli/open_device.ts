import { Gpu, NoAdapterError } from "../../engine/mod.ts";
import type { AdapterChoice } from "../adapter/adapter_choice.ts";
import { installHint } from "../adapter/mod.ts";
import type { Host } from "../host.ts";
import { UserError } from "../user_error.ts";

/**
 * Opens the device that `--adapter` allows.
 *
 * @throws {UserError} If there is none of that kind.
 */
export async function openDevice(
  options: { readonly adapter: AdapterChoice },
  host: Host,
): Promise<Gpu> {
  const hint = installHint(Deno.build.os, Deno.build.arch);
  let gpu: Gpu;
  try {
    gpu = await Gpu.open();
  } catch (error) {
    if (!(error instanceof NoAdapterError)) throw error;
    throw new UserError(
      `Cannot find a WebGPU adapter: start it with deno task, which brings a software one where it ` +
        `can, or ${hint}`,
      1,
    );
  }
  const problem = options.adapter === "hardware" && gpu.info.class !== "hardware"
    ? `Cannot use a hardware adapter: there is only ${gpu.info.description}; ${hint}`
    : options.adapter === "bundled" && host.env("ATTENTION_BENCH_ADAPTER") !== "bundled"
    ? "Cannot use the bundled adapter in this process: start it with deno task"
    : undefined;
  if (problem === undefined) return gpu;
  gpu.destroy();
  throw new UserError(problem, 1);
}
