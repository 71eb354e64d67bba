import assert from "node:assert/strict";
import { durationText, ProgressLine } from "../../harness/cli/progress_line.ts";
import { shardFromEnvironment } from "../../harness/cli/shard.ts";
import { recordingHost } from "./_helpers.ts";

function clockedHost(isTerminal: boolean) {
  const host = recordingHost({ isTerminal });
  let time = 0;
  return Object.assign(host, {
    now: () => time,
    wait: (ms: number) => void (time += ms),
  });
}

const standing = { overall: 0.25, weightPerMinute: 3.14159, remainingMs: 125_000 };

Deno.test("ProgressLine prints plain lines at new tasks and every half minute", () => {
  const host = clockedHost(false);
  const line = new ProgressLine(host);
  line.update("train", standing);
  host.wait(1000);
  line.update("train", standing);
  host.wait(30_000);
  line.update("train", standing, "loss 3.2");
  line.update("time", standing);
  assert.deepEqual(host.errors, [
    " 25.0%  train  3.1 units/min  2 min 5 s left",
    " 25.0%  train  loss 3.2  3.1 units/min  2 min 5 s left",
    " 25.0%  time  3.1 units/min  2 min 5 s left",
  ]);
});

Deno.test("ProgressLine redraws on a terminal and wipes before a log line", () => {
  const host = clockedHost(true);
  const line = new ProgressLine(host);
  line.update("train", { ...standing, weightPerMinute: null, remainingMs: null });
  line.log("note");
  assert.equal(host.errors[0], "\r 25.0%  train");
  assert.match(host.errors[1], /^\r +\r$/);
  assert.equal(host.errors[2], "note");
});

Deno.test("durationText() uses two units", () => {
  assert.deepEqual([45_000, 200_000, 7_500_000].map(durationText), [
    "45 s",
    "3 min 20 s",
    "2 h 5 min",
  ]);
});

Deno.test("shardFromEnvironment() reads matrix, Slurm array and Kubernetes job variables", () => {
  const shard = (env: Record<string, string>) => shardFromEnvironment(recordingHost({ env }));
  assert.equal(shard({}), undefined);
  assert.deepEqual(shard({ ATTENTION_BENCH_SHARD: "2/3" }), { index: 2, count: 3 });
  assert.deepEqual(
    shard({
      SLURM_ARRAY_TASK_ID: "14",
      SLURM_ARRAY_TASK_MIN: "10",
      SLURM_ARRAY_TASK_STEP: "2",
      SLURM_ARRAY_TASK_COUNT: "3",
    }),
    { index: 3, count: 3 },
  );
  assert.deepEqual(shard({ JOB_COMPLETION_INDEX: "0", JOB_COMPLETION_COUNT: "4" }), {
    index: 1,
    count: 4,
  });
  assert.throws(() => shard({ ATTENTION_BENCH_SHARD: "4/3" }), /expected i\/n/);
});
