import { canonicalJson } from "../canonical_json.ts";
import type { RunResult } from "../result_schema.ts";

/**
 * Why no row of two results can be compared at all.
 *
 * @returns One clause, or null where they can.
 */
export function incomparableRuns(baseline: RunResult, candidate: RunResult): string | null {
  const [a, b] = [baseline.benchmark, candidate.benchmark];
  if (a.name !== b.name) return `benchmarks differ: ${a.name} and ${b.name}`;
  if (a.version !== b.version) {
    return `versions of the method differ: ${a.version} and ${b.version}`;
  }
  if (baseline.preset !== candidate.preset) {
    return `presets differ: ${baseline.preset} and ${candidate.preset}`;
  }
  const changed = changedKeys(baseline.config, candidate.config);
  return changed.length === 0 ? null : `configurations differ in ${changed.join(", ")}`;
}

/** Why times of two results cannot be compared; null where they can. */
export function incomparableTimes(baseline: RunResult, candidate: RunResult): string | null {
  const [a, b] = [baseline.system.accelerator.class, candidate.system.accelerator.class];
  return a === b ? null : `adapter classes differ: ${a} and ${b} are never ranked together`;
}

/** Dotted names of the values that differ between two configurations. */
export function changedKeys(a: unknown, b: unknown, prefix = ""): string[] {
  const plain = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (!plain(a) || !plain(b)) {
    const same = canonicalJson(a ?? null) === canonicalJson(b ?? null);
    return same ? [] : [prefix];
  }
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  return names.flatMap((name) =>
    changedKeys(a[name], b[name], prefix === "" ? name : `${prefix}.${name}`)
  );
}
