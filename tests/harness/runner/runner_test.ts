import assert from "node:assert/strict";
import { contentSha256, formatJson } from "../../../harness/canonical_json.ts";
import { readResult } from "../../../harness/read_result.ts";
import type { RunResult } from "../../../harness/result_schema.ts";
import {
  discardRun,
  mergeResults,
  runBenchmark,
  type RunEvent,
  shardTasks,
} from "../../../harness/runner.ts";
import { UserError } from "../../../harness/user_error.ts";
import { createMemoryHost } from "../_helpers/memory_host.ts";
import { createToyBenchmark, toyOptions } from "../_helpers/toy_benchmark.ts";

/** What must not depend on how often a run was interrupted. */
function figures(result: RunResult) {
  const { cells, audits, comparisons, report, data, seeds, plan, config } = result;
  return { cells, audits, comparisons, report, data, seeds, plan, config };
}

async function uninterrupted(): Promise<RunResult> {
  return (await runBenchmark(toyOptions(createMemoryHost()))).result!;
}

Deno.test("runBenchmark() gives a result that reads back and carries its digest", async () => {
  const outcome = await runBenchmark(toyOptions(createMemoryHost()));
  const result = outcome.result!;
  assert.equal(outcome.exitCode, 0);
  assert.equal(result.complete, true);
  assert.equal(result.cells.length, 12);
  assert.equal(result.data[0].reads, 3);
  assert.equal(result.contentSha256, await contentSha256(result));
  assert.deepEqual(await readResult(formatJson(result)), result);
});

Deno.test("runBenchmark() resumes after Ctrl-C with identical figures", async () => {
  const host = createMemoryHost();
  const stop = new AbortController();
  const first = await runBenchmark(toyOptions(host, (context, index) => {
    if (index === 3) stop.abort();
    context.signal.throwIfAborted();
  }, { signal: stop.signal }));
  assert.equal(first.result, null);
  assert.equal(first.end, "aborted");
  assert.equal(first.exitCode, 1);
  const seen: number[] = [];
  const second = await runBenchmark(toyOptions(host, (_, index) => void seen.push(index)));
  assert.deepEqual(seen, [2, 3, 4, 5], "only the unfinished tasks run again");
  assert.deepEqual(figures(second.result!), figures(await uninterrupted()));
  assert.deepEqual(second.result!.sessions.map((item) => item.end), ["aborted", "finished"]);
});

Deno.test("runBenchmark() resumes after kill -9 in the middle of a journal line", async () => {
  const host = createMemoryHost();
  const finished = await runBenchmark(toyOptions(host));
  const path = `${finished.folder}/journal.jsonl`;
  const lines = host.text(path).split("\n");
  // Header, session, two tasks, then half of the third: no end of session was ever written.
  const torn = lines.slice(0, 4).join("\n") + "\n" + lines[4].slice(0, 100);
  await host.writeFileAtomic(path, torn);
  const seen: number[] = [];
  const resumed = await runBenchmark(toyOptions(host, (_, index) => void seen.push(index)));
  assert.deepEqual(seen, [4, 5]);
  assert.deepEqual(figures(resumed.result!), figures(await uninterrupted()));
  assert.equal(resumed.result!.sessions[0].end, "killed");
  for (const line of host.text(path).trimEnd().split("\n")) JSON.parse(line);
});

Deno.test("runBenchmark() starts over when told to or when anything that matters changed", async () => {
  for (const change of [{ fresh: true }, { seed: 2 }, { suite: { name: "x", version: "2" } }]) {
    const host = createMemoryHost();
    await runBenchmark(toyOptions(host));
    const seen: number[] = [];
    await runBenchmark(toyOptions(host, (_, index) => void seen.push(index), change));
    assert.equal(seen.length, 6, JSON.stringify(change));
  }
});

Deno.test("runBenchmark() turns a failing task into rows, goes on, and retries it later", async () => {
  const host = createMemoryHost();
  const outcome = await runBenchmark(toyOptions(host, (_, index) => {
    if (index === 3) {
      throw Object.assign(new RangeError("Cannot allocate"), { name: "GpuOutOfMemoryError" });
    }
  }));
  const result = outcome.result!;
  assert.equal(outcome.exitCode, 1);
  assert.equal(result.complete, true);
  const failed = result.cells.filter((cell) => cell.status === "failed");
  assert.deepEqual(failed.map((cell) => [cell.task, cell.variant]), [["length-128", "slow"]]);
  assert.equal(failed[0].reasons[0].code, "out-of-memory");
  assert.equal(result.cells.filter((cell) => cell.task === "length-256").length, 4);
  const seen: number[] = [];
  const again = await runBenchmark(toyOptions(host, (_, index) => void seen.push(index)));
  assert.deepEqual(seen, [2, 3]);
  assert.deepEqual(figures(again.result!), figures(await uninterrupted()));
});

Deno.test("runBenchmark() writes down what it has when the device is lost", async () => {
  const host = createMemoryHost();
  const lost = () => Object.assign(new Error("gone"), { name: "DeviceLostError" });
  const outcome = await runBenchmark(toyOptions(host, (_, index) => {
    if (index === 2) throw new Error("wrapped", { cause: lost() });
  }));
  const result = outcome.result!;
  assert.equal(outcome.end, "device-lost");
  assert.equal(outcome.exitCode, 1);
  assert.equal(result.complete, false);
  assert.equal(result.cells.length, 4);
  assert.equal(result.reasons[0].code, "device-lost");
  assert.deepEqual(result.tasks.map((task) => task.status), ["ok", "not-run", "not-run"]);
  await discardRun(host, outcome);
  assert.equal([...host.files.keys()].filter((name) => name.startsWith("cache/")).length, 0);
});

Deno.test("runBenchmark() ends a task at its time limit and says so", async () => {
  const outcome = await runBenchmark(toyOptions(createMemoryHost(), async (context, index) => {
    if (index !== 0) return;
    while (true) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      context.signal.throwIfAborted();
    }
  }, { taskTimeoutMs: 40 }));
  const [cell] = outcome.result!.cells;
  assert.equal(cell.status, "failed");
  assert.equal(cell.reasons[0].code, "time-limit");
  assert.equal(outcome.result!.tasks[1].status, "ok");
});

Deno.test("runBenchmark() refuses NaN by recording null, failed and why", async () => {
  const outcome = await runBenchmark(toyOptions(createMemoryHost(), (context, index) => {
    if (index === 0) {
      context.record({
        variant: "diverged",
        metrics: [{ metric: "loss", unit: "nats/token", value: NaN, slices: { seen: 1 } }],
        curves: [{ name: "loss", xLabel: "step", yLabel: "loss", points: [[0, 1], [1, Infinity]] }],
      });
    }
  }));
  const cell = outcome.result!.cells.find((item) => item.variant === "diverged")!;
  assert.equal(cell.status, "failed");
  assert.equal(cell.metrics[0].value, null);
  assert.equal(cell.curves[0].points[1][1], null);
  assert.match(cell.reasons[0].message, /loss is NaN, loss at 1 is Infinity/);
});

Deno.test("runBenchmark() reports no speed where parity is red, and keeps the samples", async () => {
  const outcome = await runBenchmark(toyOptions(createMemoryHost(), (context, index) => {
    if (index > 0) return;
    context.audit({
      id: "parity",
      subject: "fast",
      n: 10,
      statistic: 1,
      threshold: 0.1,
      canaries: [2, 2],
      status: "red",
      detail: "fused differs",
    });
  }));
  const { cells } = outcome.result!;
  const of = (variant: string) => cells.filter((cell) => cell.variant === variant);
  assert.ok(of("fast").every((cell) => cell.status === "invalid"));
  assert.ok(of("fast").every((cell) => cell.reasons[0].code === "parity-red"));
  assert.equal(of("fast")[0].timings[0].samplesNs.length, 4);
  assert.ok(of("slow").every((cell) => cell.status === "ok"));
});

Deno.test("runBenchmark() reports no speed that the work cannot have", async () => {
  const outcome = await runBenchmark(toyOptions(createMemoryHost(), (context, index) => {
    if (index > 0) return;
    context.record({
      variant: "skipped-work",
      timings: [{
        phase: "step",
        clock: "timestamp-query",
        samplesNs: [1],
        flags: ["implausible"],
      }],
    });
  }));
  const cell = outcome.result!.cells.find((item) => item.variant === "skipped-work")!;
  assert.equal(cell.status, "invalid");
  assert.equal(cell.reasons[0].code, "implausible-time");
});

Deno.test("runBenchmark() survives a report that throws", async () => {
  const options = toyOptions(createMemoryHost());
  const benchmark = {
    ...options.benchmark,
    report: () => {
      throw new TypeError("no such row");
    },
  };
  const { result } = await runBenchmark({ ...options, benchmark });
  assert.equal(result!.cells.length, 12);
  assert.match(result!.reasons[0].message, /cannot derive the report: TypeError: no such row/);
});

Deno.test("runBenchmark() refuses what does not fit in memory before it starts", async () => {
  const options = toyOptions(createMemoryHost());
  const benchmark = { ...options.benchmark, memoryEstimate: () => 2 ** 40 };
  await assert.rejects(
    () => runBenchmark({ ...options, benchmark }),
    (error: Error) => error instanceof UserError && /needs about 1048576 MiB/.test(error.message),
  );
});

Deno.test("runBenchmark() refuses a plan with two equal ids", async () => {
  const options = toyOptions(createMemoryHost());
  const config = { lengths: [64, 64], seeds: 1 };
  await assert.rejects(() => runBenchmark({ ...options, config }), /two tasks have the id/);
});

Deno.test("runBenchmark() tells its progress with time left that falls to nothing", async () => {
  const events: RunEvent[] = [];
  await runBenchmark(
    toyOptions(createMemoryHost(), undefined, { onEvent: (event) => events.push(event) }),
  );
  const ends = events.filter((event) => event.type === "task-end");
  assert.deepEqual(
    ends.map((event) => Math.round(event.standing.overall * 448)),
    [64, 192, 448],
  );
  assert.equal(ends[2].standing.remainingMs, 0);
  assert.ok(ends[0].standing.remainingMs! > 0);
  assert.equal(events[0].type, "start");
  assert.equal(events.at(-1)!.type, "end");
});

Deno.test("seeds depend on base seed and stream only", async () => {
  const one = await uninterrupted();
  assert.deepEqual(Object.keys(one.seeds.used).sort(), ["init/0", "init/1"]);
  const other = await runBenchmark(toyOptions(createMemoryHost(), undefined, { seed: 2 }));
  assert.notEqual(one.seeds.used["init/0"], other.result!.seeds.used["init/0"]);
});

Deno.test("shardTasks() covers the plan once, keeps groups together and balances weight", () => {
  const task = (id: string, weight: number, group?: string) => ({
    id,
    title: id,
    weight,
    kind: "x",
    variants: [],
    params: {},
    group,
  });
  const plan = [
    task("a", 5),
    task("b", 1, "g"),
    task("c", 3),
    task("d", 3, "g"),
    task("e", 2),
  ];
  const parts = [1, 2].map((index) => shardTasks(plan, { index, count: 2 }).map((t) => t.id));
  assert.deepEqual(parts.flat().sort(), ["a", "b", "c", "d", "e"]);
  assert.ok(parts.some((part) => part.includes("b") && part.includes("d")));
  const weights = parts.map((part) =>
    plan.filter((t) => part.includes(t.id)).reduce((sum, t) => sum + t.weight, 0)
  );
  assert.deepEqual(weights.sort(), [7, 7]);
  assert.throws(() => shardTasks(plan, { index: 3, count: 2 }), UserError);
});

Deno.test("mergeResults() of all shards has the figures of one run", async () => {
  const parts: RunResult[] = [];
  for (const index of [2, 1]) {
    const host = createMemoryHost();
    const shard = { index, count: 2 };
    const { result } = await runBenchmark(toyOptions(host, undefined, { shard }));
    assert.ok(result!.cells.length < 12);
    parts.push(result!);
  }
  const merged = await mergeResults(createToyBenchmark(), parts);
  const whole = await uninterrupted();
  assert.equal(merged.complete, true);
  const metrics = (result: RunResult) => result.cells.map((cell) => [cell.task, cell.metrics]);
  assert.deepEqual(metrics(merged), metrics(whole));
  assert.deepEqual(merged.seeds, whole.seeds);
  assert.equal(new Set(merged.sessions.map((item) => item.session)).size, 2);
  const half = await mergeResults(createToyBenchmark(), parts.slice(0, 1));
  assert.equal(half.complete, false);
});

Deno.test("mergeResults() names what differs", async () => {
  const one = await uninterrupted();
  const other = (await runBenchmark(toyOptions(createMemoryHost(), undefined, { seed: 2 })))
    .result!;
  await assert.rejects(
    () => mergeResults(createToyBenchmark(), [one, other]),
    /seed of .* is [12], expected [12]/,
  );
});

Deno.test("artifact and attachment names cannot leave their folder", async () => {
  const outcome = await runBenchmark(toyOptions(createMemoryHost(), async (context, index) => {
    if (index === 0) await context.artifacts.write("../escape", new Uint8Array());
    if (index === 2) await context.attach("/etc/x", new Uint8Array(), "text/plain");
  }));
  const [first, second] = outcome.result!.tasks;
  assert.match(first.reasons[0].message, /Cannot use the file name "..\/escape"/);
  assert.match(second.reasons[0].message, /Cannot use the file name "\/etc\/x"/);
});
