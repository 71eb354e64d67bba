/** Tuning of kernel variants before a run, kept in a file per adapter. */
import { attentionSizeProblem, attentionTunable } from "../attention/mod.ts";
import {
  type AnyTunable,
  choiceKey,
  exportChoices,
  type Gpu,
  importChoices,
  kernelsHash,
  matmulProblem,
  matmulTunable,
  streamOf,
  tune,
} from "../engine/mod.ts";
import type { TuningSizes } from "../models/mod.ts";
import { type Host, joinPath } from "./host.ts";

const OPERATIONS: readonly AnyTunable[] = [matmulTunable, attentionTunable];

/** Kernel variants in force where they are not the adapter class's default, by choice key. */
export function choicesInForce(gpu: Gpu): Record<string, string> {
  return Object.fromEntries([...gpu.choices].sort(([a], [b]) => a < b ? -1 : 1));
}

/**
 * Tunes what a benchmark is about to run, unless an earlier run on this adapter did: results are kept in the cache and taken over as
 * long as adapter, kernels and runtime are the same.
 *
 * @param log Told in one line what was tuned or why a stored file is not used.
 */
export async function tuneDevice(
  gpu: Gpu,
  host: Host,
  sizes: TuningSizes,
  log: (line: string) => void,
): Promise<void> {
  const { vendor, architecture, description } = gpu.info;
  const name = streamOf(`${vendor} ${architecture} ${description}`).toString(16);
  const path = joinPath(host.cacheDir, "tuning", `${name}.json`);
  const stored = await readStored(host, path, log);
  if (stored) {
    try {
      importChoices(gpu, OPERATIONS, stored.choices);
    } catch (error) {
      log(`Tuning again: ${(error as Error).message}`);
      stored.tuned.length = 0;
    }
  }
  const known = new Set(stored?.tuned);
  const products = sizes.matmul.map(matmulProblem).filter((p) =>
    !known.has(choiceKey(matmulTunable, p))
  );
  const calls = sizes.attention.map(attentionSizeProblem).filter((p) =>
    !known.has(choiceKey(attentionTunable, p))
  );
  if (products.length + calls.length === 0) return;
  const reports = [
    ...await tune(gpu, matmulTunable, products),
    ...await tune(gpu, attentionTunable, calls),
  ];
  const changed = reports.filter((r) => r.chosen !== r.default).map((r) => `${r.key}: ${r.chosen}`);
  log(`Tuned ${reports.length} kernel classes; not the default: ${changed.join("; ") || "none"}`);
  const tuned = [...known, ...reports.map((r) => r.key)].sort();
  const content = {
    kernels: kernelsHash(OPERATIONS),
    tuned,
    choices: exportChoices(gpu, OPERATIONS),
  };
  await host.writeFileAtomic(path, JSON.stringify(content, null, 2) + "\n");
}

interface Stored {
  /** Classes that were timed, also where the default won. */
  readonly tuned: string[];
  /** What `exportChoices` made. */
  readonly choices: string;
}

async function readStored(
  host: Host,
  path: string,
  log: (line: string) => void,
): Promise<Stored | undefined> {
  const text = await host.readText(path);
  if (text === undefined) return undefined;
  try {
    const { kernels, tuned, choices } = JSON.parse(text);
    if (
      kernels === kernelsHash(OPERATIONS) && Array.isArray(tuned) && typeof choices === "string"
    ) return { tuned, choices };
    log("Tuning again: the kernels changed since the stored choices were made");
  } catch {
    log(`Tuning again: ${path} is not JSON`);
  }
  return undefined;
}
