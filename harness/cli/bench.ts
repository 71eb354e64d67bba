import project from "../../deno.json" with { type: "json" };
import type { PresetName } from "../contract.ts";
import { describeEnvironment, describeSystem } from "../environment.ts";
import { readGitSource } from "../git_source.ts";
import { type Host, joinPath } from "../host.ts";
import { type AnyBenchmark, expandNames, loadBenchmark, type Registry } from "../registry.ts";
import { writeResult } from "../report/mod.ts";
import type { Preset, RunResult } from "../result_schema.ts";
import {
  discardRun,
  keepCheckpoints,
  runBenchmark,
  type RunEvent,
  type RunOutcome,
} from "../runner.ts";
import { choicesInForce, tuneDevice } from "../tune_device.ts";
import type { BenchOptions } from "./bench_command.ts";
import { Interrupt, INTERRUPTED } from "./interrupt.ts";
import { openDevice } from "./open_device.ts";
import { summaryLines } from "./print_summary.ts";
import { ProgressLine } from "./progress_line.ts";
import { applyOverrides } from "./set_overrides.ts";
import { shardFromEnvironment } from "./shard.ts";

/** One benchmark with its checked configuration. */
interface Job {
  readonly benchmark: AnyBenchmark;
  readonly preset: Preset;
  readonly config: object;
}

/**
 * Runs benchmarks one after the other, each on a device of its own, and writes their reports.
 *
 * @returns 0 ok, 1 a benchmark failed, 130 stopped by Ctrl-C.
 * @throws {UserError} For wrong options, before anything is run.
 */
export async function runBench(
  options: BenchOptions,
  givenHost: Host,
  registry: Registry,
): Promise<number> {
  const host = options.out === undefined ? givenHost : { ...givenHost, resultsDir: options.out };
  const shard = options.shard ?? shardFromEnvironment(host) ?? null;
  const names = expandNames(options.names, registry);
  const probe = await openDevice(options, host);
  const { info } = probe;
  probe.destroy();
  const preset = options.preset ?? (info.class === "hardware" ? "small" : "smoke");
  const adapterName = info.description || `${info.vendor} ${info.architecture}`;
  host.printError(
    `Adapter: ${adapterName} (${info.class}). Preset: ${preset}` +
      (options.preset === undefined ? ` (default on a ${info.class} adapter)` : ""),
  );
  const jobs: Job[] = [];
  for (const name of names) {
    jobs.push(prepare(await loadBenchmark(name, registry), preset, options.set));
  }

  await requireWritable(host);

  using interrupt = new Interrupt(host);
  const results: RunResult[] = [];
  let exitCode = 0;
  for (const job of jobs) {
    const outcome = await runJob(job, options, host, shard, interrupt.signal);
    exitCode = Math.max(exitCode, outcome.exitCode);
    if (!outcome.result) {
      host.printError(
        "Stopped. Finished tasks are kept: run the same command again to go on, or add --fresh to " +
          "start over.",
      );
      return INTERRUPTED;
    }
    results.push(outcome.result);
    const { markdown } = await writeResult(host, outcome.result, outcome.folder);
    if (!options.json) summaryLines(outcome.result).forEach((line) => host.print(line));
    host.printError(`${job.benchmark.name}: ${outcomeText(outcome.result)}; ${markdown}`);
    const weights = await keepCheckpoints(host, job.benchmark, job, outcome.folder);
    if (weights.length > 0) {
      host.printError(`Trained weights, for the export task: ${weights.join(" ")}`);
    }
    // Kept where something failed: the same command then does only that again.
    if (outcome.exitCode === 0) await discardRun(host, outcome);
    if (interrupt.signal.aborted) return INTERRUPTED;
  }
  if (options.json) host.print(JSON.stringify(results.length === 1 ? results[0] : results));
  return exitCode;
}

/** Finds out before the run, not after it, that its result could not be written. */
async function requireWritable(host: Host): Promise<void> {
  const probe = joinPath(host.resultsDir, ".write-test");
  await host.writeFileAtomic(probe, "");
  await host.remove(probe);
}

function prepare(
  benchmark: AnyBenchmark,
  preset: PresetName,
  assignments: readonly string[],
): Job {
  const config = applyOverrides(benchmark.presets[preset], benchmark.configSchema, assignments);
  return { benchmark, preset: assignments.length > 0 ? "custom" : preset, config };
}

function outcomeText(result: RunResult): string {
  const rows = Object.groupBy(result.cells, ({ status }) => status);
  const counts = Object.entries(rows).map(([status, cells]) => `${cells?.length} ${status}`);
  const red = result.audits.filter(({ status }) => status === "red").length;
  const state = result.complete ? "" : "incomplete, ";
  return `${state}rows: ${counts.join(", ") || "none"}` + (red > 0 ? `; ${red} audits red` : "");
}

async function runJob(
  job: Job,
  options: BenchOptions,
  host: Host,
  shard: Parameters<typeof runBenchmark>[0]["shard"],
  signal: AbortSignal,
): Promise<RunOutcome> {
  const progress = new ProgressLine(host);
  // A device of its own: nothing of one benchmark is left for the next, not even a lost device.
  const gpu = await openDevice(options, host);
  try {
    const sizes = job.benchmark.tuning?.(job.config);
    const tunes = options.tune === "always" ||
      (options.tune === "auto" && gpu.info.class === "hardware");
    if (sizes && tunes) await tuneDevice(gpu, host, sizes, (line) => progress.log(line));
    return await runBenchmark({
      ...job,
      tuning: choicesInForce(gpu),
      gpu,
      host,
      system: await describeSystem(gpu.info, host, { machine: options.machine }),
      environment: await describeEnvironment(host),
      suite: { name: "attention-bench", version: project.version },
      source: await readGitSource(),
      seed: options.seed,
      shard,
      signal,
      calibrate: options.calibration,
      fresh: options.fresh,
      onEvent: (event) => showEvent(event, job.benchmark.name, progress),
    });
  } finally {
    progress.clear();
    gpu.destroy();
  }
}

function showEvent(event: RunEvent, name: string, progress: ProgressLine): void {
  switch (event.type) {
    case "start":
      progress.log(
        `${name}: ${event.tasks} tasks` +
          (event.resumed > 0 ? `, ${event.resumed} taken over from an interrupted run` : ""),
      );
      break;
    case "task-start":
      progress.update(`[${event.index}/${event.tasks}] ${event.task.title}`, event.standing);
      break;
    case "progress":
      progress.update(event.task.title, event.standing, event.note);
      break;
    case "log":
      progress.log(`  ${event.line}`);
      break;
    case "task-end":
      if (event.status === "failed") {
        const reasons = event.reasons.map(({ message }) => message).join("; ");
        progress.log(`FAILED ${event.task.title}: ${reasons}`);
      }
      break;
  }
}
