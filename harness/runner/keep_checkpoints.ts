import type { Benchmark } from "../contract.ts";
import { type Host, joinPath } from "../host.ts";
import { createArtifactStore } from "./artifact_store.ts";

/**
 * Copies the weights that a benchmark declares in `checkpoints` from the folder of a finished run, which is thrown away afterwards, to
 * `<cache>/checkpoints/<benchmark>-<preset>-<variant>.safetensors`. A later run of the same benchmark and preset replaces them.
 *
 * @param folder Folder of the run, see `RunOutcome`.
 * @returns Paths of the files written; weights of tasks that failed or ran elsewhere are left out.
 */
export async function keepCheckpoints<C extends object>(
  host: Host,
  benchmark: Benchmark<C>,
  { preset, config }: { readonly preset: string; readonly config: C },
  folder: string,
): Promise<string[]> {
  const artifacts = createArtifactStore(host, joinPath(folder, "artifacts"));
  const kept: string[] = [];
  for (const { variant, artifact } of benchmark.checkpoints?.(config) ?? []) {
    const bytes = await artifacts.read(artifact);
    if (!bytes) continue;
    const name = `${benchmark.name}-${preset}-${variant}.safetensors`;
    const path = joinPath(host.cacheDir, "checkpoints", name);
    await host.writeFileAtomic(path, bytes);
    kept.push(path);
  }
  return kept;
}
