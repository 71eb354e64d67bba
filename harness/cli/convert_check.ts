import { checkConversion, readSafetensors } from "../../train/mod.ts";
import type { PublishedTensor } from "../../models/mod.ts";
import type { Host } from "../host.ts";
import { UserError } from "../user_error.ts";
import { openCheckpointFiles } from "./checkpoint_files.ts";
import { type CheckpointWeights, openCheckpointWeights } from "./checkpoint_weights.ts";
import type { ConvertOptions } from "./convert_command.ts";
import { openDevice } from "./open_device.ts";

/** A checkpoint that has been opened. */
interface OpenedCheckpoint {
  readonly config: Record<string, unknown>;
  readonly weights: CheckpointWeights;
}

/**
 * Runs source and converted model, see `checkConversion`, and prints a line per check.
 *
 * @param folder The converted checkpoint as written.
 * @returns The exit code: 1 where a check fails.
 * @throws {UserError} If they cannot be run at all.
 */
export async function runConversionCheck(
  source: OpenedCheckpoint,
  folder: string,
  options: Pick<ConvertOptions, "adapter" | "seed">,
  host: Host,
): Promise<number> {
  const files = await openCheckpointFiles(host, folder, "");
  const config = JSON.parse(await files.text("config.json") ?? "{}");
  const weights = await openCheckpointWeights(host, files);
  const gpu = await openDevice(options, host);
  try {
    const checks = await checkConversion(
      gpu,
      { config: source.config, tensors: () => readAll(host, source.weights) },
      { config, tensors: () => readAll(host, weights) },
      options.seed,
    );
    for (const { passed, detail } of checks) {
      host.print(`${passed === undefined ? "skipped" : passed ? "passed" : "FAILED"}  ${detail}`);
    }
    return checks.some(({ passed }) => passed === false) ? 1 : 0;
  } catch (error) {
    // A configuration that the models here do not implement, or too large for the device.
    if (!(error instanceof RangeError)) throw error;
    throw new UserError(
      `Cannot check ${folder}, which was written: ${error.message}`,
      1,
      { cause: error },
    );
  } finally {
    gpu.destroy();
  }
}

async function readAll(
  host: Host,
  { paths }: CheckpointWeights,
): Promise<Map<string, PublishedTensor>> {
  const tensors = new Map<string, PublishedTensor>();
  for (const path of paths.values()) {
    const bytes = await host.readFile(path) ?? new Uint8Array();
    for (const [key, tensor] of readSafetensors(bytes, path).tensors) tensors.set(key, tensor);
  }
  return tensors;
}
