/** Runs a benchmark: plan, journal, resume, shards, progress, result. */
import type { Gpu } from "../engine/mod.ts";
import { calibrate } from "./calibration.ts";
import { canonicalJson, sha256Hex } from "./canonical_json.ts";
import type { Benchmark } from "./contract.ts";
import { type Host, joinPath } from "./host.ts";
import type {
  Calibration,
  Environment,
  Preset,
  Reason,
  RunBody,
  RunResult,
  Session,
  System,
  Task,
} from "./result_schema.ts";
import { assembleBody, finishResult } from "./runner/assemble.ts";
import { classifyError, isDeviceLost } from "./runner/classify_error.ts";
import { Journal, JOURNAL_VERSION } from "./runner/journal.ts";
import { ProgressMeter, type Standing } from "./runner/progress_meter.ts";
import { checkPlan, runTask } from "./runner/run_task.ts";
import { type Shard, shardTasks } from "./runner/shard.ts";
import { UserError } from "./user_error.ts";

export { keepCheckpoints } from "./runner/keep_checkpoints.ts";
export { mergeResults } from "./runner/merge_results.ts";
export { deriveSeed } from "./runner/task_context.ts";
export { type Shard, shardTasks } from "./runner/shard.ts";
export type { Standing } from "./runner/progress_meter.ts";

export interface RunOptions<C extends object> {
  readonly benchmark: Benchmark<C>;
  /** Checked by the benchmark's schema. */
  readonly config: C;
  readonly preset: Preset;
  readonly gpu: Gpu;
  readonly host: Host;
  readonly system: System;
  readonly environment: Environment;
  /** Kernel variants in force, from `choicesInForce`. */
  readonly tuning?: RunBody["tuning"];
  readonly suite: RunBody["suite"];
  readonly source: RunBody["source"];
  /** Seed that every stream derives from. @default 1 */
  readonly seed?: number;
  /** @default "self-reported" */
  readonly tier?: RunBody["tier"];
  /** @default "matched" */
  readonly division?: RunBody["division"];
  readonly shard?: Shard | null;
  /** Ctrl-C. The journal keeps what is finished. */
  readonly signal?: AbortSignal;
  /** A task over this limit becomes a failed row. @default none */
  readonly taskTimeoutMs?: number;
  /** @default true */
  readonly calibrate?: boolean;
  /** Throw away an earlier, unfinished run instead of resuming it. @default false */
  readonly fresh?: boolean;
  readonly onEvent?: (event: RunEvent) => void;
}

/** What a renderer of progress is told. */
export type RunEvent =
  | {
    readonly type: "start";
    readonly runId: string;
    readonly session: number;
    readonly tasks: number;
    /** Tasks taken over from earlier sessions. */
    readonly resumed: number;
  }
  | { readonly type: "calibration"; readonly calibration: Calibration }
  | {
    readonly type: "task-start";
    readonly task: Task;
    /** 1-based, of `tasks`. */
    readonly index: number;
    readonly tasks: number;
    readonly standing: Standing;
  }
  | {
    readonly type: "progress";
    readonly task: Task;
    readonly fraction: number;
    readonly note: string;
    readonly standing: Standing;
  }
  | { readonly type: "log"; readonly task: Task | null; readonly line: string }
  | {
    readonly type: "task-end";
    readonly task: Task;
    readonly status: "ok" | "failed";
    readonly reasons: readonly Reason[];
    readonly durationMs: number;
    readonly standing: Standing;
  }
  | { readonly type: "end"; readonly end: Session["end"]; readonly failedCells: number };

export interface RunOutcome {
  /** null when the person stopped the run: start it again to go on. */
  readonly result: RunResult | null;
  readonly end: Session["end"];
  /** 0 fine; 1 a task or row failed, the device was lost or the run was stopped. */
  readonly exitCode: 0 | 1;
  /** Folder of journal and artifacts; call `discardRun` once the result is safely written. */
  readonly folder: string;
}

/**
 * Runs a benchmark to its result. Finished tasks of an interrupted run with the same benchmark,
 * configuration, suite, adapter, seed and shard are taken over; failed ones are tried again.
 */
export async function runBenchmark<C extends object>(options: RunOptions<C>): Promise<RunOutcome> {
  const { benchmark, config, host, gpu, signal } = options;
  const emit = options.onEvent ?? (() => {});
  const seed = options.seed ?? 1;
  const plan = benchmark.tasks(config);
  checkPlan(benchmark.name, plan);
  checkMemory(options);
  const mine = shardTasks(plan, options.shard ?? null);
  const instant = () => new Date(host.now()).toISOString();
  const key = await runKey(options);
  const folder = joinPath(host.cacheDir, "runs", `${benchmark.name}-${key.slice(0, 16)}`);
  const startedAt = instant();
  const journal = await Journal.open(host, folder, options.fresh ?? false, {
    type: "run",
    journalVersion: JOURNAL_VERSION,
    runId: `${startedAt.replaceAll(/[-:.]/g, "")}-${benchmark.name}-${key.slice(0, 8)}`,
    startedAt,
  });
  const session = journal.sessions.length + 1;
  await journal.append({ type: "session", session, startedAt });
  const finished = new Set(
    [...journal.tasks.values()].filter((line) => line.status === "ok").map((line) => line.task),
  );
  const tasks = mine.length;
  const resumed = mine.filter((task) => finished.has(task.id)).length;
  emit({ type: "start", runId: journal.head.runId, session, tasks, resumed });

  const reasons: Reason[] = [];
  let end: Session["end"] = "finished";
  const lose = (reason: Reason) => {
    end = "device-lost";
    reasons.push(reason);
  };
  const takeRoof = async (at: Calibration["at"]) => {
    if (options.calibrate === false || resumed === tasks) return null;
    const calibration = await calibrate(gpu, { at, session, now: () => host.now(), signal });
    await journal.append({ type: "calibration", calibration });
    emit({ type: "calibration", calibration });
    return calibration;
  };

  try {
    const calibration = await takeRoof("before");
    const meter = new ProgressMeter(mine, finished, performance.now());
    for (const [index, task] of mine.entries()) {
      if (finished.has(task.id)) continue;
      if (signal?.aborted) {
        end = "aborted";
        break;
      }
      emit({
        type: "task-start",
        task,
        index: index + 1,
        tasks,
        standing: meter.standing(performance.now()),
      });
      const before = gpu.memory.transientBytes;
      const outcome = await runTask(benchmark, config, {
        benchmark: benchmark.name,
        gpu,
        host,
        task,
        folder,
        baseSeed: seed,
        session,
        calibration,
        signal: taskSignal(signal, options.taskTimeoutMs),
        log: (line) => emit({ type: "log", task, line }),
        progress: (fraction, note) =>
          emit({
            type: "progress",
            task,
            fraction,
            note,
            standing: meter.standing(performance.now(), { task, fraction }),
          }),
      }, signal);
      if (outcome.kind === "aborted") {
        end = "aborted";
        break;
      }
      if (outcome.kind === "device-lost") {
        lose({
          ...outcome.reason,
          message: `the GPU was lost during ${task.id}: ${outcome.reason.message}`,
        });
        break;
      }
      const { line } = outcome;
      await journal.append({ ...line, endedAt: instant() });
      meter.finish(task);
      const kept = gpu.memory.transientBytes - before;
      if (kept > 0) {
        emit({ type: "log", task, line: `${kept} bytes of GPU memory were not freed` });
      }
      emit({
        type: "task-end",
        task,
        status: line.status,
        reasons: line.reasons,
        durationMs: line.durationNs / 1e6,
        standing: meter.standing(performance.now()),
      });
    }
    if (end === "finished") await takeRoof("after");
  } catch (error) {
    // Only calibration can throw here; tasks keep their errors to themselves.
    if (isDeviceLost(error)) lose(classifyError(error));
    else if (signal?.aborted) end = "aborted";
    else throw error;
  }
  await journal.append({ type: "session-end", session, endedAt: instant(), end });
  if (end === "aborted") {
    emit({ type: "end", end, failedCells: 0 });
    return { result: null, end, exitCode: 1, folder };
  }
  const body = await assembleBody(benchmark, config, {
    runId: journal.head.runId,
    suite: options.suite,
    preset: options.preset,
    tier: options.tier ?? "self-reported",
    division: options.division ?? "matched",
    source: options.source,
    startedAt: journal.head.startedAt,
    endedAt: instant(),
    shard: options.shard ?? null,
    system: options.system,
    environment: options.environment,
    tuning: options.tuning ?? {},
    baseSeed: seed,
    reasons,
  }, {
    plan,
    mine,
    tasks: journal.tasks,
    sessions: journal.sessions,
    calibrations: journal.calibrations,
  });
  const result = await finishResult(benchmark, body);
  const failedCells = result.cells.filter((cell) => cell.status === "failed").length;
  emit({ type: "end", end, failedCells });
  const failed = failedCells > 0 || result.tasks.some((task) => task.status !== "ok");
  return { result, end, exitCode: failed ? 1 : 0, folder };
}

/**
 * Removes journal and artifacts of a run. To be called after its result was written; a run with
 * failed or missing tasks is better kept, so that starting it again only does those.
 */
export async function discardRun(host: Host, outcome: RunOutcome): Promise<void> {
  await host.remove(outcome.folder);
}

/** Everything that makes two runs the same run. */
async function runKey<C extends object>(options: RunOptions<C>): Promise<string> {
  const { benchmark, config, suite, gpu } = options;
  const { vendor, architecture, device, description } = gpu.info;
  return await sha256Hex(canonicalJson({
    benchmark: benchmark.name,
    version: benchmark.version,
    config,
    suite,
    commit: options.source.commit,
    diff: options.source.diffSha256,
    adapter: { vendor, architecture, device, description },
    seed: options.seed ?? 1,
    shard: options.shard ?? null,
  }));
}

function checkMemory<C extends object>({ benchmark, config, gpu, host, preset }: RunOptions<C>) {
  const needed = benchmark.memoryEstimate?.(config);
  // Only software adapters share the host's memory, the one amount that can be asked for.
  const available = gpu.info.class === "software" ? host.memoryAvailableBytes() : undefined;
  if (needed === undefined || available === undefined || needed <= available) return;
  const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
  throw new UserError(
    `Cannot run ${benchmark.name} (${preset}): it needs about ${mebibytes(needed)}, ` +
      `${mebibytes(available)} are free; choose a smaller preset or batch`,
    1,
  );
}

function taskSignal(signal: AbortSignal | undefined, timeoutMs: number | undefined): AbortSignal {
  const parts = [signal, timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)];
  return AbortSignal.any(parts.filter((part) => part !== undefined));
}
