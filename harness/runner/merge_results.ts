import { canonicalJson } from "../canonical_json.ts";
import type { Benchmark } from "../contract.ts";
import type { DataRecord, RunBody, RunResult } from "../result_schema.ts";
import { UserError } from "../user_error.ts";
import { applyGates } from "./apply_gates.ts";
import { finishResult } from "./assemble.ts";
import { addData } from "./task_context.ts";

/**
 * Joins the shards of one run. They must share benchmark, configuration, suite, seed and adapter;
 * a task done in several parts counts once, the first that is ok.
 *
 * @throws UserError that names what differs.
 */
export async function mergeResults<C extends object>(
  benchmark: Benchmark<C>,
  parts: readonly RunResult[],
): Promise<RunResult> {
  const ordered = [...parts].sort((a, b) =>
    (a.shard?.index ?? 0) - (b.shard?.index ?? 0) || (a.runId < b.runId ? -1 : 1)
  );
  const [first] = ordered;
  if (!first) throw new UserError("Cannot merge results: none were given");
  for (const part of ordered) {
    for (const [name, value] of Object.entries(identity(part))) {
      const expected = identity(first)[name as keyof ReturnType<typeof identity>];
      if (value !== expected) {
        throw new UserError(
          `Cannot merge results: ${name} of ${part.runId} is ${value}, expected ${expected}`,
        );
      }
    }
  }
  // Sessions of different processes keep apart: samples are never pooled silently.
  const offsets = new Map<RunResult, number>();
  let sessions = 0;
  for (const part of ordered) {
    offsets.set(part, sessions);
    sessions += part.sessions.length;
  }
  const owner = new Map<string, RunResult>();
  for (const status of ["ok", "failed"] as const) {
    for (const part of ordered) {
      for (const task of part.tasks) {
        if (task.status === status && !owner.has(task.task)) owner.set(task.task, part);
      }
    }
  }
  const shift = <T extends { session: number | null }>(part: RunResult, item: T): T => ({
    ...item,
    session: item.session === null ? null : item.session + (offsets.get(part) as number),
  });
  const data: DataRecord[] = [];
  for (const part of ordered) for (const record of part.data) addData(data, record);
  const audits = ordered.flatMap((part) => part.audits);
  const cells = applyGates(
    first.plan.flatMap((task) => {
      const part = owner.get(task.id);
      return (part?.cells ?? []).filter((cell) => cell.task === task.id).map((cell) => ({
        ...cell,
        timings: cell.timings.map((timing) => shift(part as RunResult, timing)),
      }));
    }),
    audits,
  );
  const config = benchmark.configSchema.parse(first.config);
  const { report: _report, contentSha256: _digest, ...head } = first;
  const body: RunBody = {
    ...head,
    runId: `${first.runId}-merged`,
    shard: null,
    startedAt: ordered.map((part) => part.startedAt).sort()[0],
    endedAt: ordered.map((part) => part.endedAt).sort().at(-1) as string,
    complete: first.plan.every((task) => owner.has(task.id)),
    sessions: ordered.flatMap((part) => part.sessions.map((item) => shift(part, item))),
    calibration: ordered.flatMap((part) => part.calibration.map((item) => shift(part, item))),
    // Drift is a statement about one machine in one session; the parts hold theirs.
    drift: ordered.length === 1 ? first.drift : null,
    data,
    seeds: {
      base: first.seeds.base,
      used: Object.assign({}, ...ordered.map((part) => part.seeds.used)),
    },
    tasks: first.plan.map((task) => {
      const part = owner.get(task.id);
      const known = part?.tasks.find((item) => item.task === task.id);
      return part && known ? shift(part, known) : {
        task: task.id,
        status: "not-run",
        session: null,
        durationNs: null,
        reasons: [],
      };
    }),
    reasons: ordered.flatMap((part) => part.reasons),
    cells,
    comparisons: benchmark.compare?.(cells, config) ?? [],
    audits,
    attachments: ordered.flatMap((part) => part.attachments),
  };
  return await finishResult(benchmark, body);
}

function identity(result: RunResult) {
  const { vendor, architecture, device, description } = result.system.accelerator;
  return {
    benchmark: `${result.benchmark.name} version ${result.benchmark.version}`,
    configuration: result.configSha256,
    suite: `${result.suite.name} ${result.suite.version}`,
    commit: `${result.source.commit} ${result.source.diffSha256}`,
    seed: String(result.seeds.base),
    adapter: canonicalJson({ vendor, architecture, device, description }),
  };
}
