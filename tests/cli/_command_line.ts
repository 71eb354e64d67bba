/**
 * The command line with benchmarks made for its tests. Run as a child by the tests beside it.
 * @module
 */
import { z } from "zod";
import { add } from "../../engine/mod.ts";
import type { Benchmark } from "../../harness/contract.ts";
import { createDenoHost } from "../../harness/deno_host.ts";
import { main } from "../../harness/main.ts";

const configSchema = z.strictObject({
  size: z.int().positive(),
  tasks: z.int().positive(),
  stepMs: z.int().nonnegative(),
  inner: z.strictObject({ label: z.string() }),
});
type Config = z.infer<typeof configSchema>;

const preset: Config = { size: 4, tasks: 3, stepMs: 0, inner: { label: "a" } };

function benchmark(name: string, work: Benchmark<Config>["run"]): Benchmark<Config> {
  return {
    name,
    version: 1,
    title: `Test benchmark ${name}`,
    question: "Does the command line work?",
    source: { title: "None", url: "about:blank", year: 2026 },
    configSchema,
    presets: { smoke: preset, small: { ...preset, tasks: 4 }, paper: { ...preset, tasks: 5 } },
    tasks: (config) =>
      Array.from({ length: config.tasks }, (_, i) => ({
        id: `task-${i}`,
        title: `Task ${i}`,
        weight: 1,
        kind: "test",
        variants: ["only"],
        params: { i, label: config.inner.label },
      })),
    run: work,
    report: (result) => ({
      headline: [`${result.cells.length} rows were recorded.`],
      sections: [],
    }),
  };
}

const addition = benchmark(
  "addition",
  async ({ gpu, task, record, progress, signal }, _, config) => {
    for (let step = 0; step < 10; step++) {
      signal.throwIfAborted();
      progress(step / 10);
      if (config.stepMs > 0) await new Promise((done) => setTimeout(done, config.stepMs));
    }
    const x = gpu.full([config.size], 1);
    const values = await gpu.read(add(x, x));
    record({
      variant: "only",
      params: task.params,
      metrics: [{ metric: "sum", unit: "1", value: values.length * values[0] }],
    });
  },
);

const failing = benchmark("failing", ({ task }) => {
  if (task.id === "task-1") throw new RangeError("planted failure");
  return Promise.resolve();
});

const registry = {
  addition: () => Promise.resolve(addition),
  failing: () => Promise.resolve(failing),
};

if (import.meta.main) Deno.exit(await main(Deno.args, createDenoHost(), registry));
