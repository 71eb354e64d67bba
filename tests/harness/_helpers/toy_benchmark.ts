import { z } from "zod";
import type { Benchmark, TaskContext } from "../../../harness/contract.ts";
import type { System } from "../../../harness/result_schema.ts";
import type { RunOptions } from "../../../harness/runner.ts";
import { createFakeGpu } from "./fake_gpu.ts";
import type { MemoryHost } from "./memory_host.ts";

export interface ToyConfig {
  lengths: number[];
  seeds: number;
}

/** What a test hooks into a toy task. */
export type ToyHook = (context: TaskContext, index: number) => void | Promise<void>;

/**
 * A benchmark whose figures depend on its seeds only: one task per length, two variants per task,
 * a stored artifact and data provenance.
 */
export function createToyBenchmark(hook: ToyHook = () => {}): Benchmark<ToyConfig> {
  const small = { lengths: [64, 128, 256], seeds: 2 };
  return {
    name: "toy",
    version: 1,
    title: "Toy",
    question: "Does the harness hold together?",
    source: { title: "No paper", url: "https://example.org/toy", year: 2026 },
    configSchema: z.strictObject({ lengths: z.array(z.int()), seeds: z.int() }),
    presets: { smoke: { ...small, seeds: 1 }, small, paper: small },
    tasks: (config) =>
      config.lengths.map((T) => ({
        id: `length-${T}`,
        title: `Length ${T}`,
        weight: T,
        kind: "train",
        variants: ["fast", "slow"],
        params: { T },
      })),
    async run(context, task, config) {
      const T = task.params.T as number;
      for (const [i, variant] of task.variants.entries()) {
        await hook(context, config.lengths.indexOf(T) * 2 + i);
        for (let seed = 0; seed < config.seeds; seed++) {
          const stream = context.seed(`init/${seed}`);
          context.record({
            variant,
            params: { T, seed },
            implementation: { form: i === 0 ? "fused" : "naive" },
            timings: [{
              phase: "step",
              clock: "timestamp-query",
              samplesNs: [1, 2, 3, 4].map((k) => T * (i + 1) * 1000 + k * 10 + stream % 7),
              blocks: [0, 1, 2, 3],
            }],
            memoryBytes: { peak: T * 1024, byTag: { parameters: 512 } },
            metrics: [{
              metric: "loss",
              unit: "nats/token",
              better: "lower",
              split: "test",
              value: 3 + stream / 2 ** 34 + i / 10,
            }],
          });
        }
      }
      context.data({
        id: "toy-text",
        origin: "generator",
        licence: "CC0-1.0",
        sha256: "0".repeat(64),
      });
      await context.artifacts.write(`weights-${T}`, new Uint8Array([1, 2, 3]));
      context.progress(1);
    },
    report: (result) => ({
      headline: [`${result.cells.length} rows were recorded.`],
      sections: [{
        heading: "Loss",
        tables: [{
          title: "Loss",
          columns: [{ name: "variant" }, { name: "loss", align: "right" }],
          rows: result.cells.map((cell) => [cell.variant, cell.metrics[0]?.value ?? null]),
        }],
        charts: [{
          id: "loss",
          title: "Loss against length",
          mark: "line",
          x: { label: "length (tokens)", scale: "log" },
          y: { label: "loss (nats/token)" },
          series: ["fast", "slow"].map((name) => ({
            name,
            points: result.cells.filter((cell) => cell.variant === name && cell.metrics.length > 0)
              .map((cell) => ({ x: cell.params.T as number, y: cell.metrics[0].value ?? 0 })),
          })),
        }],
      }],
    }),
    published: [{
      id: "toy-loss",
      metric: "loss",
      unit: "nats/token",
      value: 3,
      variant: "fast",
      params: { T: 64 },
    }],
  };
}

export const TOY_SYSTEM: System = {
  machine: "test-machine",
  systemName: "Test machine",
  operatingSystem: "none",
  architecture: "none",
  hostProcessorModelName: null,
  hostProcessorCores: 2,
  hostMemoryCapacityBytes: null,
  accelerator: {
    class: "software",
    vendor: "test",
    architecture: "none",
    device: "none",
    description: "a fake for tests",
    isFallbackAdapter: true,
    hasTimestamps: false,
    features: [],
    limits: {},
    memoryCapacityBytes: null,
    driver: null,
    backend: null,
  },
  swNotes: "",
  hwNotes: "",
};

/** Options to run the toy on a fake GPU. */
export function toyOptions(
  host: MemoryHost,
  hook?: ToyHook,
  more: Partial<RunOptions<ToyConfig>> = {},
): RunOptions<ToyConfig> {
  const benchmark = createToyBenchmark(hook);
  return {
    benchmark,
    config: benchmark.presets.small,
    preset: "small",
    gpu: createFakeGpu(),
    host,
    system: TOY_SYSTEM,
    environment: {
      runtime: "test",
      runtimeVersion: "1",
      v8: null,
      typescript: null,
      userAgent: null,
      lockSha256: null,
      flags: [],
      variables: {},
      continuousIntegration: false,
    },
    suite: { name: "attention-bench", version: "0.0.0" },
    source: { commit: "abcdef0123456789", commitDate: null, dirty: false, diffSha256: null },
    calibrate: false,
    ...more,
  };
}
