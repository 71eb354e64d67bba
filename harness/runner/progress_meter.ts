import type { Task } from "../result_schema.ts";

/** Where a run stands. */
export interface Standing {
  /** Share of the plan's weight that is done, 0..1. */
  readonly overall: number;
  /** Weight per minute in this session; null before anything was finished. */
  readonly weightPerMinute: number | null;
  /** Estimated time left in ms; null before there is a rate. */
  readonly remainingMs: number | null;
}

/** Estimates the time left from weights; tasks done in earlier sessions do not count for the rate. */
export class ProgressMeter {
  readonly #total: number;
  readonly #start: number;
  #earlier = 0;
  #done = 0;

  constructor(tasks: readonly Task[], finished: ReadonlySet<string>, nowMs: number) {
    this.#total = tasks.reduce((sum, task) => sum + task.weight, 0);
    this.#start = nowMs;
    for (const task of tasks) if (finished.has(task.id)) this.#earlier += task.weight;
  }

  finish(task: Task): void {
    this.#done += task.weight;
  }

  /** @param current Task in work and the fraction of it that is done. */
  standing(nowMs: number, current?: { task: Task; fraction: number }): Standing {
    const inside = current ? current.task.weight * Math.min(1, Math.max(0, current.fraction)) : 0;
    const done = this.#done + inside;
    const elapsed = nowMs - this.#start;
    const rate = done > 0 && elapsed > 0 ? done / elapsed : null;
    const left = Math.max(0, this.#total - this.#earlier - done);
    return {
      overall: this.#total === 0 ? 1 : Math.min(1, (this.#earlier + done) / this.#total),
      weightPerMinute: rate === null ? null : rate * 60_000,
      remainingMs: rate === null ? null : left / rate,
    };
  }
}
