import { message, text } from "@optique/core/message";
import type { ValueParser } from "@optique/core/valueparser";
import type { Host } from "../host.ts";
import type { Shard } from "../runner.ts";
import { UserError } from "../user_error.ts";

function parseShard(input: string): Shard | undefined {
  const match = input.match(/^(\d+)\/(\d+)$/);
  const [index, count] = [Number(match?.[1]), Number(match?.[2])];
  return match && index >= 1 && index <= count ? { index, count } : undefined;
}

function explain(input: string): string {
  return `it is "${input}", expected i/n with 1 <= i <= n, e.g. 2/8`;
}

/** Reads `i/n` with 1 <= i <= n. */
export function shardValue(): ValueParser<"sync", Shard> {
  return {
    mode: "sync",
    metavar: "I/N",
    placeholder: { index: 1, count: 1 },
    parse(input) {
      const shard = parseShard(input);
      return shard
        ? { success: true, value: shard }
        : { success: false, error: message`Cannot read --shard: ${text(explain(input))}.` };
    },
    format: ({ index, count }) => `${index}/${count}`,
  };
}

/**
 * The shard that a scheduler's variables name: `ATTENTION_BENCH_SHARD` (`i/n`, set from a GitHub
 * Actions matrix), Slurm arrays, Kubernetes indexed jobs (which number from 0 and need
 * `JOB_COMPLETION_COUNT` set beside the index, since Kubernetes does not give it).
 */
export function shardFromEnvironment(host: Host): Shard | undefined {
  const own = host.env("ATTENTION_BENCH_SHARD");
  if (own) {
    const shard = parseShard(own);
    // Running the whole plan on every machine instead would waste all but one of them.
    if (!shard) throw new UserError(`Cannot read ATTENTION_BENCH_SHARD: ${explain(own)}`);
    return shard;
  }
  const number = (name: string) => {
    const text = host.env(name);
    return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
  };
  const first = number("SLURM_ARRAY_TASK_MIN") ?? 0;
  const step = number("SLURM_ARRAY_TASK_STEP") || 1;
  const candidates = [
    [number("SLURM_ARRAY_TASK_ID"), first, step, number("SLURM_ARRAY_TASK_COUNT")],
    [number("JOB_COMPLETION_INDEX"), 0, 1, number("JOB_COMPLETION_COUNT")],
  ] as const;
  for (const [id, start, stride, count] of candidates) {
    if (id === undefined || count === undefined) continue;
    const index = (id - start) / stride + 1;
    if (Number.isInteger(index) && index >= 1 && index <= count) return { index, count };
  }
  return undefined;
}
