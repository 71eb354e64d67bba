import type { Benchmark } from "../contract.ts";
import type { Reason, Task } from "../result_schema.ts";
import { classifyError, isDeviceLost } from "./classify_error.ts";
import type { TaskLine } from "./journal.ts";
import { completeCell } from "./record_cell.ts";
import { type ContextSetting, createTaskContext } from "./task_context.ts";

/** What became of a task: a journal line, or the reason why there is none. */
export type TaskOutcome =
  | { readonly kind: "done"; readonly line: Omit<TaskLine, "endedAt"> }
  | { readonly kind: "aborted" }
  | { readonly kind: "device-lost"; readonly reason: Reason };

/**
 * Runs one task. A throw becomes a failed row for each variant that has none yet; a stop by the
 * person or a lost device leaves no line, so that a resume does the task again.
 *
 * @param stop Signal of the person; `setting.signal` may carry a time limit as well.
 */
export async function runTask<C extends object>(
  benchmark: Benchmark<C>,
  config: C,
  setting: ContextSetting,
  stop: AbortSignal | undefined,
): Promise<TaskOutcome> {
  const { task, gpu } = setting;
  const { context, recorded } = createTaskContext(setting);
  const started = performance.now();
  let reasons: Reason[] = [];
  try {
    gpu.memory.resetPeak();
    await benchmark.run(context, task, config);
    await gpu.idle();
  } catch (error) {
    if (isDeviceLost(error)) return { kind: "device-lost", reason: classifyError(error) };
    if (stop?.aborted) return { kind: "aborted" };
    reasons = [classifyError(error)];
    const missing = new Set(task.variants);
    for (const cell of recorded.cells) missing.delete(cell.variant);
    for (const variant of missing) {
      recorded.cells.push(
        completeCell(task.id, { variant, params: task.params, status: "failed", reasons }),
      );
    }
  }
  return {
    kind: "done",
    line: {
      type: "task",
      task: task.id,
      session: setting.session,
      status: reasons.length > 0 ? "failed" : "ok",
      durationNs: Math.round((performance.now() - started) * 1e6),
      reasons,
      ...recorded,
    },
  };
}

/** Checks a plan: unique ids and positive weights, else resume and time left would be wrong. */
export function checkPlan(benchmark: string, plan: readonly Task[]): void {
  const ids = new Set<string>();
  for (const { id, weight } of plan) {
    if (ids.has(id)) throw new TypeError(`Cannot plan ${benchmark}: two tasks have the id ${id}`);
    if (!(weight > 0)) {
      throw new RangeError(`Cannot plan ${benchmark}: weight of ${id} is ${weight}, expected > 0`);
    }
    ids.add(id);
  }
}
