import type { Task } from "../result_schema.ts";
import { UserError } from "../user_error.ts";

/** One part of a split plan, 1-based. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/**
 * Tasks of one shard, in plan order. Groups stay together; the heaviest go first to the lightest
 * shard, ties to the lower number, so that every machine computes the same split.
 */
export function shardTasks(tasks: readonly Task[], shard: Shard | null): Task[] {
  if (shard === null) return [...tasks];
  const { index, count } = shard;
  if (!(Number.isInteger(count) && Number.isInteger(index) && index >= 1 && index <= count)) {
    throw new UserError(`Cannot split the plan: shard is ${index}/${count}, expected 1/n to n/n`);
  }
  const groups = new Map<string, Task[]>();
  for (const task of tasks) {
    const key = task.group === undefined ? `task ${task.id}` : `group ${task.group}`;
    groups.set(key, [...groups.get(key) ?? [], task]);
  }
  const weight = (group: readonly Task[]) => group.reduce((sum, task) => sum + task.weight, 0);
  const loads = new Array<number>(count).fill(0);
  const mine = new Set<Task>();
  // Sorting is stable, so equal weights keep the order of the plan.
  for (const group of [...groups.values()].sort((a, b) => weight(b) - weight(a))) {
    const lightest = loads.indexOf(Math.min(...loads));
    loads[lightest] += weight(group);
    if (lightest === index - 1) group.forEach((task) => mine.add(task));
  }
  return tasks.filter((task) => mine.has(task));
}
