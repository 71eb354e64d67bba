/** Builds the result of a run from what was journaled. Pure but for the digest. */
import { z } from "zod";
import { canonicalJson, contentSha256, sha256Hex } from "../canonical_json.ts";
import type { Benchmark } from "../contract.ts";
import * as policy from "../measure/policy.ts";
import {
  type Calibration,
  type DataRecord,
  publishedSchema,
  type Reason,
  type ReportInput,
  RESULT_KIND,
  type RunBody,
  type RunResult,
  runResultSchema,
  SCHEMA_VERSION,
  type Session,
  sourceSchema,
  type Task,
} from "../result_schema.ts";
import { calibrationDrift } from "../roofline.ts";
import { BOOTSTRAP_RESAMPLES } from "../statistics/mod.ts";
import { applyGates } from "./apply_gates.ts";
import { classifyError } from "./classify_error.ts";
import type { TaskLine } from "./journal.ts";
import { addData } from "./task_context.ts";

/** What the caller knows about a run beyond its journal. */
export type RunFacts =
  & Pick<
    RunBody,
    | "runId"
    | "suite"
    | "preset"
    | "tier"
    | "division"
    | "source"
    | "startedAt"
    | "endedAt"
    | "shard"
    | "system"
    | "environment"
    | "tuning"
  >
  & { readonly baseSeed: number; readonly reasons: readonly Reason[] };

export interface RunRecords {
  readonly plan: readonly Task[];
  /** Tasks of this shard. */
  readonly mine: readonly Task[];
  readonly tasks: ReadonlyMap<string, TaskLine>;
  readonly sessions: readonly Session[];
  readonly calibrations: readonly Calibration[];
}

/** Body of the result: everything but the report and the digest. */
export async function assembleBody<C extends object>(
  benchmark: Benchmark<C>,
  config: C,
  facts: RunFacts,
  records: RunRecords,
): Promise<RunBody> {
  const { baseSeed, reasons, ...rest } = facts;
  const done = records.mine.flatMap((task) => records.tasks.get(task.id) ?? []);
  const data: DataRecord[] = [];
  for (const line of done) for (const record of line.data) addData(data, record);
  const audits = done.flatMap((line) => line.audits);
  const cells = applyGates(done.flatMap((line) => line.cells), audits);
  const problems = [...reasons];
  const drift = calibrationDrift(records.calibrations);
  if (drift?.exceeded) {
    problems.push({
      code: "drift",
      message: `the measured roof changed by more than ${drift.limit * 100} % during the run`,
    });
  }
  const plainConfig = JSON.parse(canonicalJson(config)) as RunBody["config"];
  return {
    schemaVersion: SCHEMA_VERSION,
    kind: RESULT_KIND,
    ...rest,
    benchmark: {
      name: benchmark.name,
      version: benchmark.version,
      title: benchmark.title,
      question: benchmark.question,
      source: sourceSchema.parse(benchmark.source),
    },
    complete: done.length === records.mine.length,
    sessions: [...records.sessions],
    calibration: [...records.calibrations],
    drift,
    data,
    seeds: { base: baseSeed, used: Object.assign({}, ...done.map((line) => line.seeds)) },
    config: plainConfig,
    configSha256: await sha256Hex(canonicalJson(plainConfig)),
    plan: [...records.plan],
    tasks: records.mine.map((task) => outcome(task, records.tasks.get(task.id))),
    reasons: problems,
    method: { ...policy, BOOTSTRAP_RESAMPLES },
    cells,
    comparisons: derive(
      () => benchmark.compare?.(cells, config) ?? [],
      "comparisons",
      [],
      problems,
    ),
    audits,
    attachments: done.flatMap((line) => line.attachments),
    published: (benchmark.published ?? []).map((figure) => publishedSchema.parse(figure)),
  };
}

/** Adds the report and the digest, and checks the whole against the schema. */
export async function finishResult<C extends object>(
  benchmark: Benchmark<C>,
  body: RunBody,
): Promise<RunResult> {
  const reasons = [...body.reasons];
  const fallback: ReportInput = {
    headline: ["The report of this benchmark could not be made; see the problems of the run."],
    sections: [],
  };
  const report = derive(() => benchmark.report(body), "report", fallback, reasons);
  const parsed = runResultSchema.omit({ contentSha256: true }).safeParse({
    ...body,
    reasons,
    report,
  });
  if (!parsed.success) {
    throw new TypeError(`Cannot write the result: ${z.prettifyError(parsed.error)}`);
  }
  return { ...parsed.data, contentSha256: await contentSha256(parsed.data) };
}

/** A derivation that fails becomes a problem of the run: hours of measuring must not be lost. */
function derive<T>(make: () => T, what: string, fallback: T, problems: Reason[]): T {
  try {
    return make();
  } catch (error) {
    const { message } = classifyError(error);
    problems.push({ code: "error", message: `cannot derive the ${what}: ${message}` });
    return fallback;
  }
}

function outcome(task: Task, line: TaskLine | undefined): RunBody["tasks"][number] {
  return line === undefined
    ? { task: task.id, status: "not-run", session: null, durationNs: null, reasons: [] }
    : {
      task: task.id,
      status: line.status,
      session: line.session,
      durationNs: line.durationNs,
      reasons: [...line.reasons],
    };
}
