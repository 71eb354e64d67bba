import assert from "node:assert/strict";
import {
  changedKeys,
  compareResults,
  hasRegression,
  renderComparison,
} from "../../../harness/compare.ts";
import type { Cell, RunResult } from "../../../harness/result_schema.ts";
import { runBenchmark } from "../../../harness/runner.ts";
import { UserError } from "../../../harness/user_error.ts";
import { createMemoryHost } from "../_helpers/memory_host.ts";
import { toyOptions } from "../_helpers/toy_benchmark.ts";

const base = (await runBenchmark(toyOptions(createMemoryHost()))).result!;

function changed(change: (cell: Cell) => Cell, more: Partial<RunResult> = {}): RunResult {
  return { ...base, runId: "other", cells: base.cells.map(change), ...more };
}

function slower(factor: number) {
  return (cell: Cell): Cell => ({
    ...cell,
    timings: cell.timings.map((timing) => ({
      ...timing,
      samplesNs: timing.samplesNs.map((ns) => Math.round(ns * factor)),
    })),
  });
}

Deno.test("compareResults() finds a run equal to itself", () => {
  const [comparison] = compareResults([base, base]);
  assert.equal(comparison.refused, null);
  assert.ok(comparison.rows.length > 12);
  assert.ok(comparison.rows.every((row) => row.verdict === "equivalent"));
  assert.deepEqual(comparison.skipped, []);
  assert.equal(hasRegression([comparison]), false);
});

Deno.test("compareResults() tells slower from faster with the ratio and its interval", () => {
  const [slow] = compareResults([base, changed(slower(1.5))]);
  const times = slow.rows.filter((row) => row.kind === "time");
  assert.ok(times.length > 0);
  for (const row of times) {
    assert.equal(row.verdict, "worse");
    assert.ok(Math.abs(row.ratio! - 1.5) < 0.01);
    assert.ok(row.interval!.low > 1.4 && row.interval!.high < 1.6);
  }
  assert.equal(hasRegression([slow]), true);
  const [fast] = compareResults([base, changed(slower(0.5))]);
  assert.ok(
    fast.rows.filter((row) => row.kind === "time").every((row) => row.verdict === "better"),
  );
});

Deno.test("compareResults() pairs seeds for quality", () => {
  const worse = changed((cell) => ({
    ...cell,
    metrics: cell.metrics.map((metric) => ({ ...metric, value: metric.value! * 1.2 })),
  }));
  const [comparison] = compareResults([base, worse]);
  const quality = comparison.rows.filter((row) => row.kind === "quality");
  assert.equal(quality.length, 6);
  // Two seeds are too few for an interval, so nothing may be claimed.
  assert.ok(quality.every((row) => row.interval === null && row.verdict === "inconclusive"));
  assert.ok(quality.every((row) => Math.abs(row.ratio! - 1.2) < 1e-9));
});

Deno.test("compareResults() never ranks times of hardware and software adapters", () => {
  const { system } = base;
  const hardware = changed(slower(0.1), {
    system: { ...system, accelerator: { ...system.accelerator, class: "hardware" } },
  });
  const [comparison] = compareResults([base, hardware]);
  assert.equal(comparison.rows.filter((row) => row.kind === "time").length, 0);
  assert.ok(comparison.skipped.some((row) => /never ranked together/.test(row.reason)));
  assert.ok(comparison.rows.some((row) => row.kind === "quality"), "quality is comparable");
});

Deno.test("compareResults() lists rows it cannot compare with the reason", () => {
  const [first] = base.cells;
  const point = (cell: Cell) => cell.variant === first.variant && cell.params.T === first.params.T;
  const failed = changed((cell) =>
    point(cell)
      ? { ...cell, status: "failed", reasons: [{ code: "out-of-memory", message: "x" }] }
      : cell
  );
  const [one] = compareResults([base, failed]);
  assert.ok(one.skipped.some((row) => row.reason === "candidate is failed (out-of-memory)"));
  const clock = changed((cell) => ({
    ...cell,
    timings: cell.timings.map((timing) => ({ ...timing, clock: "wall" })),
  }));
  const [two] = compareResults([base, clock]);
  assert.ok(two.skipped.every((row) => /clocks differ/.test(row.reason)));
  const fewer = { ...base, cells: base.cells.filter((cell) => !point(cell)) };
  const [three] = compareResults([base, fewer]);
  assert.ok(three.skipped.some((row) => row.reason === "only in the baseline"));
  const [four] = compareResults([fewer, base]);
  assert.ok(four.skipped.some((row) => row.reason === "only in the candidate"));
});

Deno.test("compareResults() refuses other presets, configurations and methods, and says which", () => {
  const refused = (more: Partial<RunResult>) =>
    compareResults([base, { ...base, ...more }])[0].refused;
  assert.equal(refused({ preset: "smoke" }), "presets differ: small and smoke");
  assert.match(refused({ config: { ...base.config, seeds: 3 } })!, /differ in seeds/);
  assert.match(refused({ benchmark: { ...base.benchmark, version: 2 } })!, /1 and 2/);
  assert.throws(() => compareResults([base]), UserError);
});

Deno.test("changedKeys() names nested values", () => {
  assert.deepEqual(changedKeys({ a: { b: 1, c: [1] }, d: 2 }, { a: { b: 2, c: [1] } }), [
    "a.b",
    "d",
  ]);
});

Deno.test("renderComparison() shows rows, refusals and the rule", () => {
  const text = renderComparison(
    compareResults([base, changed(slower(2)), { ...base, preset: "smoke" }]),
  );
  assert.match(text, /\| step +\| fast +\| T=128, seed=0 \|/);
  assert.match(text, /\*\*Not comparable\*\*: presets differ/);
  assert.match(text, /Inconclusive is not equal/);
});
