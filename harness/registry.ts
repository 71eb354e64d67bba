/**
 * The list of benchmarks: the one place where the harness reaches `benchmarks/`. Modules are
 * imported on request, so `list --help` does not load every mechanism.
 * @module
 */
import type { Benchmark } from "./contract.ts";
import { didYouMean } from "./did_you_mean.ts";
import { UserError } from "./user_error.ts";

/** A benchmark whose configuration type is known to itself alone. */
// deno-lint-ignore no-explicit-any
export type AnyBenchmark = Benchmark<any>;

/** Benchmarks by their name on the command line. */
export type Registry = Readonly<Record<string, () => Promise<AnyBenchmark>>>;

/** Name on the command line to module. Adding a benchmark means adding its folder and one line. */
export const BENCHMARKS: Registry = {
  conv_attention: async () => (await import("../benchmarks/conv_attention/bench.ts")).benchmark,
  leap: async () => (await import("../benchmarks/leap/bench.ts")).benchmark,
  lsg: async () => (await import("../benchmarks/lsg/bench.ts")).benchmark,
  peers: async () => (await import("../benchmarks/peers/bench.ts")).benchmark,
  truncation: async () => (await import("../benchmarks/truncation/bench.ts")).benchmark,
};

/**
 * Imports a benchmark.
 *
 * @param name Name as in the registry.
 * @throws {UserError} When there is none of that name; the message names near ones.
 */
export async function loadBenchmark(
  name: string,
  registry: Registry,
): Promise<AnyBenchmark> {
  if (!Object.hasOwn(registry, name)) {
    throw new UserError(
      `Cannot run benchmark "${name}": there is none of that name` +
        didYouMean(name, Object.keys(registry)),
    );
  }
  return await registry[name]();
}

/**
 * Turns names from the command line into a list without repeats; `all` stands for every one.
 *
 * @throws {UserError} As {@link loadBenchmark}, before anything is run.
 */
export function expandNames(
  names: readonly string[],
  registry: Registry,
): string[] {
  const expanded = names.flatMap((name) => name === "all" ? Object.keys(registry) : [name]);
  for (const name of expanded) {
    if (!Object.hasOwn(registry, name)) {
      throw new UserError(
        `Cannot find benchmark "${name}"` + didYouMean(name, [...Object.keys(registry), "all"]),
      );
    }
  }
  return [...new Set(expanded)];
}
