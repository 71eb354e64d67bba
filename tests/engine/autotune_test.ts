import assert from "node:assert/strict";
import {
  type Candidate,
  exportChoices,
  importChoices,
  pinChoice,
  type Tunable,
  tune,
} from "../../engine/autotune/mod.ts";
import { type Kernel, read, u32, write } from "../../engine/kernel.ts";
import { matmul } from "../../engine/mod.ts";
import { matmulProblem, matmulTunable } from "../../engine/ops/gemm.ts";
import { relativeRms } from "../_helpers/assert_close.ts";
import { randomArray } from "../_helpers/gradients.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

interface Doubling {
  readonly count: number;
}

/** y = factor * x, by a kernel that is right only for a factor of two; `skip` leaves the last element unwritten. */
function doubling(name: string, factor = 2, skip = 0): Candidate<Doubling> {
  const kernel = ({ count }: Doubling): Kernel => ({
    name: "test_doubling",
    key: `${factor}`,
    bindings: [read("x"), write("y")],
    uniforms: [u32("count", count - skip)],
    grid: [1, 1, 1],
    body: () =>
      `@compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) {
  if (i < u.count) { y[i] = ${factor}.0 * x[i]; }
}`,
  });
  return { name, dispatch: (gpu, problem, tensors) => gpu.run(kernel(problem), tensors) };
}

function tunable(...candidates: Candidate<Doubling>[]): Tunable<Doubling> {
  return {
    name: "doubling",
    candidates,
    defaultFor: () => candidates[0].name,
    bucketOf: ({ count }) => `n${count}`,
    prepare: (gpu, { count }) => {
      const output = gpu.empty([count]);
      return { tensors: [gpu.tensor(randomArray(count, 1), [count]), output], output };
    },
    source: () => candidates.map((c) => c.name).join(),
  };
}

/** Times from a table in place of a clock; `drift` slows the whole machine down from call to call. */
function fakeTime(nanoseconds: Record<string, number>, drift = 0) {
  let calls = 0;
  const order: string[] = [];
  const time = (_body: () => void, candidate: string) => {
    order.push(candidate);
    return Promise.resolve(nanoseconds[candidate] * (1 + drift * calls++));
  };
  return { time, order };
}

const PROBLEM = [{ count: 50 }];
const KEY = "doubling n50";

gpuTest("tune() keeps the default when a challenger saves less than 15 %", async () => {
  const operation = tunable(doubling("old"), doubling("new"));
  const [report] = await tune(gpu, operation, PROBLEM, fakeTime({ old: 1e7, new: 0.86e7 }));
  assert.equal(report.chosen, "old");
  assert.equal(gpu.choices.get(KEY), undefined);
  assert.equal(report.candidates[1].ratio!.toFixed(2), "0.86");
});

gpuTest("tune() takes the fastest challenger that saves 15 % or more", async () => {
  const operation = tunable(doubling("old"), doubling("new"), doubling("newer"));
  const times = { old: 1e7, new: 0.8e7, newer: 0.7e7 };
  const [report] = await tune(gpu, operation, PROBLEM, fakeTime(times));
  assert.equal(report.chosen, "newer");
  assert.equal(gpu.choices.get(KEY), "newer");
  // A later run in which the default is as good takes the choice back.
  await tune(gpu, operation, PROBLEM, fakeTime({ old: 1, new: 1, newer: 1 }));
  assert.equal(gpu.choices.get(KEY), undefined);
});

gpuTest("tune() is not misled by a host that slows down while it runs", async () => {
  const operation = tunable(doubling("old"), doubling("new"));
  const { time, order } = fakeTime({ old: 2e7, new: 2e7 }, 0.5);
  const [report] = await tune(gpu, operation, PROBLEM, { time, rounds: 7 });
  assert.equal(report.chosen, "old");
  assert.deepEqual(order.slice(1, 5), ["old", "new", "new", "old"]);
});

gpuTest("tune() drops candidates with wrong, missing or late results", async () => {
  const operation = tunable(
    doubling("right"),
    doubling("wrong", 3),
    doubling("gap", 2, 1),
    doubling("late"),
    {
      name: "failing",
      dispatch: () => {
        throw new RangeError("does not fit");
      },
    },
  );
  // The clock is read before and after each first dispatch; the fourth candidate's takes 2.5 s.
  let reads = 0;
  const now = () => reads++ === 7 ? 2500 : 0;
  const { time, order } = fakeTime({ right: 100, wrong: 1, gap: 1, late: 1, failing: 1 });
  const [report] = await tune(gpu, operation, PROBLEM, { time, now });
  assert.equal(report.chosen, "right");
  const reasons = report.candidates.map((c) => c.dropped ?? "");
  assert.equal(reasons[0], "");
  assert.match(reasons[1], /differs from right by 5\.0e-1/);
  assert.match(reasons[2], /differs from right by NaN/);
  assert.match(reasons[3], /first dispatch took 2500 ms/);
  assert.match(reasons[4], /does not fit/);
  assert.deepEqual(order, [], "nothing is left to compare, so nothing is timed");
});

gpuTest("tune() frees what it made and refuses fewer than 5 rounds", async () => {
  const operation = tunable(doubling("old"), doubling("new"));
  const before = gpu.memory.liveBytes;
  await tune(gpu, operation, PROBLEM, fakeTime({ old: 1, new: 1 }));
  assert.equal(gpu.memory.liveBytes, before);
  await assert.rejects(tune(gpu, operation, PROBLEM, { rounds: 4 }), /rounds is 4, expected 5/);
});

gpuTest(
  "tune() with the real clock accepts every matmul candidate and reports ratios",
  async () => {
    const problems = [matmulProblem({ M: 40, N: 36, K: 24, transposeB: true })];
    const [report] = await tune(gpu, matmulTunable, problems, { rounds: 5 });
    gpu.choices.clear();
    assert.equal(report.key, "matmul NT m5 n5 k4");
    assert.equal(report.candidates.length, matmulTunable.candidates.length - 1);
    for (const { name, dropped, ratio } of report.candidates) {
      // A cold compile on a busy machine may pass the limit; a wrong result may not.
      if (dropped) assert.match(dropped, /first dispatch/, name);
      else assert.ok(ratio! > 0, `${name} has ratio ${ratio}`);
    }
  },
);

gpuTest("matmul() obeys a tuned choice, and a pin before it", async () => {
  const M = 24, N = 20, K = 12;
  const problem = matmulProblem({ M, N, K });
  const run = async () => {
    const created = gpu.counters.pipelinesCreated;
    const a = gpu.tensor(randomArray(M * K, 1), [M, K]);
    const b = gpu.tensor(randomArray(K * N, 2), [K, N]);
    const values = await gpu.readFloats(gpu.scope(() => matmul(a, b)));
    return { values, compiled: gpu.counters.pipelinesCreated - created };
  };
  try {
    const standard = await run();
    gpu.choices.set(`matmul ${matmulTunable.bucketOf(problem)}`, "staged 32x32");
    const chosen = await run();
    assert.equal(chosen.compiled, 1, "the tuned variant is another pipeline");
    pinChoice(gpu, matmulTunable, "plain");
    const pinned = await run();
    assert.equal(pinned.compiled, 1, "the pinned variant is a third one");
    pinChoice(gpu, matmulTunable, undefined);
    assert.equal((await run()).compiled, 0);
    assert.ok(relativeRms(chosen.values, standard.values) < 1e-6);
    assert.ok(relativeRms(pinned.values, standard.values) < 1e-6);
    assert.throws(() => pinChoice(gpu, matmulTunable, "fast"), /candidate is "fast", expected/);
  } finally {
    gpu.choices.clear();
  }
});

gpuTest("importChoices() restores what exportChoices() wrote, and nothing else", () => {
  const operation = tunable(doubling("old"), doubling("new"));
  const operations = [operation, matmulTunable];
  try {
    gpu.choices.set(KEY, "new");
    gpu.choices.set("matmul", "plain");
    gpu.choices.set("unrelated", "setting");
    const text = exportChoices(gpu, operations);
    gpu.choices.clear();
    importChoices(gpu, operations, text);
    assert.deepEqual([...gpu.choices].sort(), [[KEY, "new"], ["matmul", "plain"]]);
    gpu.choices.clear();

    const changed = (fields: Record<string, unknown>) =>
      JSON.stringify({ ...JSON.parse(text), ...fields });
    const refuses = (altered: string, reason: RegExp) => {
      assert.throws(() => importChoices(gpu, operations, altered), reason);
      assert.equal(gpu.choices.size, 0, "nothing may be taken from a refused file");
    };
    refuses(changed({ adapter: "other | gpu | x" }), /adapter is "other \| gpu \| x", expected/);
    refuses(changed({ runtime: "Elsewhere/1" }), /runtime is "Elsewhere\/1"/);
    refuses(changed({ format: 2 }), /no choices file of format 1/);
    refuses(changed({ choices: { [KEY]: "new", "doubling n1": "gone" } }), /candidate is "gone"/);
    refuses(changed({ choices: { "softmax n1": "x" } }), /no operation has the key/);
    refuses("[]", /no choices file/);
    refuses("{", /JSON/);
    const other = [tunable(doubling("old"), doubling("newer")), matmulTunable];
    assert.throws(() => importChoices(gpu, other, text), /kernels is ".*", expected/);
  } finally {
    gpu.choices.clear();
  }
});
