import assert from "node:assert/strict";
import { clockQuantum } from "../../../harness/calibration.ts";
import type { Calibration } from "../../../harness/result_schema.ts";
import {
  calibrationDrift,
  rooflineFloorNs,
  rooflineShare,
  roofOfSession,
} from "../../../harness/roofline.ts";

/** 1 TFLOP/s and 100 GB/s. */
const roof: Calibration = {
  at: "before",
  session: 1,
  takenAt: "2026-11-22T00:00:00.000Z",
  clock: "timestamp-query",
  f32FlopsPerSecond: [0.8e12, 1e12, 0.9e12],
  matmulSize: 1024,
  fmaFlopsPerSecond: [],
  copyBytesPerSecond: [100e9],
  copyBytes: 1,
  launchNs: [],
  submitNs: [],
  timestampQuantumNs: null,
};

Deno.test("rooflineShare() takes the nearer roof", () => {
  // 1e9 FLOP take 1 ms, 1e7 bytes take 0.1 ms: bound by arithmetic, done in 2 ms.
  const compute = rooflineShare({ flops: 1e9, bytes: 1e7 }, 2e6, roof);
  assert.deepEqual(compute, { compute: 0.5, memory: 0.05, roof: 0.5, bound: "compute" });
  const memory = rooflineShare({ flops: 1e6, bytes: 1e8 }, 4e6, roof);
  assert.equal(memory.bound, "memory");
  assert.equal(memory.roof, 0.25);
  assert.equal(rooflineShare({ flops: null, bytes: null }, 1, roof).roof, null);
  assert.equal(rooflineFloorNs({ flops: 1e9, bytes: 1e12 }, roof), 1e6);
});

Deno.test("roofOfSession() takes the roof of the timing's own session", () => {
  const second = { ...roof, session: 2 };
  assert.equal(roofOfSession([roof, second], 2), second);
  assert.equal(roofOfSession([roof, second], 3), roof);
  assert.equal(roofOfSession([], 1), null);
});

Deno.test("calibrationDrift() compares first and last and sees more than three percent", () => {
  const after = (factor: number): Calibration => ({
    ...roof,
    at: "after",
    f32FlopsPerSecond: roof.f32FlopsPerSecond.map((rate) => rate * factor),
  });
  assert.equal(calibrationDrift([roof]), null);
  assert.equal(calibrationDrift([roof, after(0.98)])!.exceeded, false);
  const slowed = calibrationDrift([roof, after(0.9)])!;
  assert.equal(slowed.exceeded, true);
  assert.ok(Math.abs(slowed.f32! + 0.1) < 1e-12);
});

Deno.test("clockQuantum() finds the step of a clock", () => {
  assert.equal(clockQuantum([120, 360, 1000]), 40);
  assert.equal(clockQuantum([7]), 7);
  assert.equal(clockQuantum([]), null);
  assert.equal(clockQuantum([0, 0]), null);
});
