import assert from "node:assert/strict";
import type { TimedCase } from "../../../harness/contract.ts";
import {
  hasDrift,
  isStable,
  MAX_SAMPLES,
  measure,
  type MeasureSetting,
  MIN_SAMPLES,
} from "../../../harness/measure.ts";
import { pairTimings } from "../../../harness/pair_timings.ts";
import { SeededRandom } from "../../../harness/statistics/mod.ts";

/** A GPU whose clock is simulated: each piece of work adds its own time, nothing is random. */
function simulated(clock: "timestamp-query" | "wall" = "timestamp-query") {
  let nowNs = 0;
  let recorded = 0;
  const calls: string[] = [];
  const setting: MeasureSetting = {
    timer: {
      scope: (work) => work(),
      time(work) {
        recorded = 0;
        work();
        nowNs += recorded;
        return Promise.resolve({ ns: recorded, wallNs: recorded + 5000, clock });
      },
    },
    empty: () => void (recorded += 1000),
    calibrator: () => void (recorded += 50_000),
    seed: 7,
    session: 1,
    now: () => nowNs / 1e6,
  };
  const work = (name: string, ns: (call: number) => number): TimedCase => {
    let call = 0;
    return {
      name,
      phase: "forward",
      run: () => {
        calls.push(name);
        recorded += ns(call++);
      },
    };
  };
  return { setting, work, calls };
}

Deno.test("measure() gives every case one sample per block, in changing order", async () => {
  const { setting, work, calls } = simulated();
  const random = new SeededRandom(1);
  const noisy = (base: number) => () => base * (1 + 0.3 * random.next());
  const found = await measure(
    setting,
    [work("a", noisy(2e6)), work("b", noisy(3e6))],
    { maxSamples: 20, minSamples: 20, relativeWidth: 0 },
  );
  for (const item of found) {
    assert.equal(item.timing!.samplesNs.length, 20);
    assert.deepEqual(item.timing!.blocks, Array.from({ length: 20 }, (_, i) => i));
    assert.equal(item.timing!.stop, "max-samples");
    assert.equal(item.timing!.emptyDispatchNs, 1000);
  }
  const blocks = calls.slice(-40);
  const firsts = new Set(blocks.filter((_, i) => i % 2 === 0));
  assert.equal(firsts.size, 2, "the order inside blocks changes");
  for (let i = 0; i < 40; i += 2) assert.notEqual(blocks[i], blocks[i + 1]);
});

Deno.test("measure() stops when the interval is narrow, not before the fewest samples", async () => {
  const { setting, work } = simulated();
  const [steady] = await measure(setting, [work("steady", () => 2e6)]);
  assert.equal(steady.timing!.samplesNs.length, MIN_SAMPLES);
  assert.equal(steady.timing!.stop, "interval-width");
  assert.deepEqual(steady.timing!.flags, []);
  assert.equal(steady.timing!.stats!.medianNs, 2e6);
  const random = new SeededRandom(2);
  const [wild] = await measure(setting, [work("wild", () => 2e6 * (0.5 + random.next()))]);
  assert.equal(wild.timing!.stop, "max-samples");
  assert.equal(wild.timing!.samplesNs.length, MAX_SAMPLES);
  assert.ok(wild.timing!.flags.includes("wide-interval"));
});

Deno.test("measure() stops at the time limit after at least three samples", async () => {
  const { setting, work } = simulated();
  const [slow] = await measure(setting, [work("slow", () => 15e9)], { maxTimeMs: 1000 });
  assert.equal(slow.timing!.stop, "max-time");
  assert.equal(slow.timing!.samplesNs.length, 3);
});

Deno.test("measure() repeats short work and reports time per repetition", async () => {
  const { setting, work } = simulated();
  const [short] = await measure(setting, [work("short", () => 20_000)]);
  assert.equal(short.timing!.number, 50);
  assert.equal(short.timing!.samplesNs[0], 1e6);
  assert.equal(short.timing!.stats!.medianNs, 20_000);
  const wall = simulated("wall");
  const [late] = await measure(wall.setting, [wall.work("late", () => 1e6)]);
  assert.equal(late.timing!.number, 100, "by wall clock a sample lasts 100 ms");
  assert.deepEqual(late.timing!.wallNs, []);
});

Deno.test("measure() flags work below the roofline floor and near the launch floor", async () => {
  const { setting, work } = simulated();
  const [fast] = await measure(setting, [{ ...work("fast", () => 2e6), floorNs: 5e6 }]);
  assert.ok(fast.timing!.flags.includes("implausible"));
  const [plausible] = await measure(setting, [{ ...work("p", () => 2e6), floorNs: 3e6 }]);
  assert.ok(!plausible.timing!.flags.includes("implausible"));
  const [tiny] = await measure(setting, [work("tiny", () => 1200)], { minSampleMs: 0.001 });
  assert.ok(tiny.timing!.flags.includes("near-launch-floor"));
  const [nothing] = await measure(setting, [work("nothing", () => 0)], { minSampleMs: 0 });
  assert.ok(nothing.timing!.flags.includes("implausible"), "no work takes no time");
});

Deno.test("measure() keeps a failing case to itself and stops for a lost device", async () => {
  const { setting, work } = simulated();
  const failing = work("failing", (call) => {
    if (call === 6) throw new RangeError("Cannot allocate");
    return 2e6;
  });
  const [bad, good] = await measure(setting, [failing, work("good", () => 2e6)]);
  assert.equal(bad.timing, null);
  assert.equal(bad.error!.message, "Cannot allocate");
  assert.equal(good.timing!.samplesNs.length, MIN_SAMPLES);
  const lost = work("lost", () => {
    throw Object.assign(new Error("gone"), { name: "DeviceLostError" });
  });
  await assert.rejects(() => measure(setting, [lost]), { name: "DeviceLostError" });
});

Deno.test("measure() stops for the person, whatever the reason of the signal", async () => {
  const { setting, work } = simulated();
  const stop = new AbortController();
  const stopping = work("stopping", (call) => {
    if (call === 5) stop.abort(new TypeError("enough"));
    return 2e6;
  });
  await assert.rejects(() => measure({ ...setting, signal: stop.signal }, [stopping]), /enough/);
});

Deno.test("measure() waits for work of another library", async () => {
  const { setting } = simulated();
  let finished = 0;
  const [peer] = await measure({ ...setting, now: () => performance.now() }, [{
    name: "peer",
    phase: "forward",
    runAsync: async () => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      finished++;
    },
  }], { maxSamples: 4, minSamples: 4 });
  assert.equal(peer.timing!.clock, "wall");
  assert.ok(peer.timing!.samplesNs.every((ns) => ns >= 1e6));
  assert.ok(finished >= 8);
});

Deno.test("measure() refuses two cases of one name", async () => {
  const { setting, work } = simulated();
  await assert.rejects(() => measure(setting, [work("a", () => 1), work("a", () => 1)]), TypeError);
});

Deno.test("isStable() sees a trend and forgives noise", () => {
  assert.equal(isStable([100, 100, 100]), false, "too few runs");
  assert.equal(isStable([900, 500, 300, 200]), false);
  assert.equal(isStable([900, 100, 102, 99, 101]), true);
});

Deno.test("hasDrift() needs a change that is large and beyond the scatter", () => {
  const noise = [0, 2, -1, 1, -2, 0, 1, -1, 2, -1, 0, 1];
  assert.equal(hasDrift(noise.map((value) => 100 + value)), false);
  assert.equal(hasDrift(noise.map((value, i) => 100 + value + 2 * i)), true);
  assert.equal(hasDrift(noise.map((value, i) => 100 + 40 * value + 2 * i)), false, "only noise");
  assert.equal(hasDrift([100, 200, 300]), false, "too few blocks");
});

Deno.test("pairTimings() pairs by block and never across sessions", async () => {
  const { setting, work } = simulated();
  const [a, b] = await measure(setting, [work("a", () => 2e6), work("b", () => 4e6)]);
  const [left, right] = pairTimings(a.timing!, b.timing!);
  assert.equal(left.length, MIN_SAMPLES);
  assert.ok(left.every((value, i) => right[i] / value === 2));
  const gap = { ...b.timing!, blocks: b.timing!.blocks.map((block) => block + 4) };
  assert.equal(pairTimings(a.timing!, gap)[0].length, MIN_SAMPLES - 4);
  assert.deepEqual(pairTimings(a.timing!, { ...b.timing!, session: 2 }), [[], []]);
});
