import assert from "node:assert/strict";
import { benchmark } from "../../../benchmarks/truncation/bench.ts";
import { compareTruncation } from "../../../benchmarks/truncation/compare.ts";
import {
  POLICIES,
  truncationConfigSchema,
  unitsOf,
} from "../../../benchmarks/truncation/config.ts";
import { qualityOf } from "../../../benchmarks/encoder_training/quality.ts";
import { reportTruncation } from "../../../benchmarks/truncation/report.ts";
import { testPoints } from "../../../benchmarks/truncation/test_model.ts";
import {
  type Cell,
  cellSchema,
  reportSchema,
  type RunBody,
} from "../../../harness/result_schema.ts";

const { presets } = benchmark;

Deno.test("qualityOf() gives accuracy and the mean F1 of the classes", () => {
  const { accuracy, macroF1, correct } = qualityOf([0, 0, 1, 2], [0, 1, 1, 1]);
  assert.equal(accuracy, 0.5);
  assert.deepEqual(correct, [true, false, true, false]);
  // F1: class 0 2*1/(2+1), class 1 2*1/(1+3), class 2 0.
  assert.ok(Math.abs(macroF1 - (2 / 3 + 1 / 2 + 0) / 3) < 1e-12);
  assert.throws(() => qualityOf([], []), RangeError);
});

Deno.test("the plan of every preset prepares a unit before it trains on it", () => {
  for (const config of Object.values(presets)) {
    const plan = benchmark.tasks(config);
    assert.equal(new Set(plan.map(({ id }) => id)).size, plan.length);
    const groups = new Map<string, string>();
    for (const { group, kind } of plan) {
      if (group && !groups.has(group)) groups.set(group, kind);
    }
    assert.ok([...groups.values()].every((kind) => kind === "prepare"));
    assert.equal(groups.size, config.tasks.flatMap(unitsOf).length);
  }
  assert.ok(presets.small.tasks.every(({ seeds }) => seeds >= 3));
  assert.deepEqual(presets.paper.tasks[0].policies, [...POLICIES]);
  assert.equal(presets.paper.tasks[0].extraFolds, 4);
});

Deno.test("testPoints() covers the row of the matrix and the sweep of its own policy", () => {
  const config = presets.paper;
  const unit = { task: config.tasks[0], fold: 0, seed: 0 };
  const points = testPoints(config, unit, "occurrence");
  for (const policy of POLICIES) {
    if (policy === "none") continue;
    const shares = points.filter((p) => p.policy === policy).map((p) => p.share);
    assert.deepEqual(shares, policy === "occurrence" ? [...config.shares] : [0.5], policy);
  }
  const control = testPoints(config, unit, "none");
  assert.equal(control.length, 1 + 8 * config.shares.length);
});

Deno.test("the configuration refuses what cannot be run", () => {
  const wrong = (change: (config: typeof presets.smoke) => unknown) => {
    const config = structuredClone(presets.smoke);
    change(config);
    return truncationConfigSchema.safeParse(config).success === false;
  };
  assert.ok(wrong((c) => c.tasks[0].policies = ["right"]));
  assert.ok(wrong((c) => c.tasks[0].extraFolds = 5));
  assert.ok(wrong((c) => c.encoder.heads = 3));
  assert.ok(wrong((c) => c.pretraining = null));
  assert.ok(wrong((c) => c.contextualLayers = 3));
  assert.ok(wrong((c) => c.trainShare = 1));
});

/** Rows of three seeds: `occurrence` is right where `right` is, and on every fourth document besides. */
function cells(): Cell[] {
  const rows: unknown[] = [];
  const add = (variant: string, test: string, seed: number, isRight: (i: number) => boolean) => {
    const correct = Array.from({ length: 40 }, (_, i) => isRight(i));
    rows.push({
      task: "t",
      variant,
      params: {
        ...{ part: "matrix", task: "toy", fold: 0, seed, test },
        share: test === "none" ? 1 : presets.smoke.trainShare,
      },
      metrics: [{
        metric: "accuracy",
        unit: "1",
        value: correct.filter(Boolean).length / 40,
        split: "test",
      }],
      curves: [{
        name: "correct",
        xLabel: "document",
        yLabel: "1",
        points: correct.map((right, i) => [i, right ? 1 : 0]),
      }],
    });
  };
  for (let seed = 0; seed < 3; seed++) {
    add("none", "none", seed, () => true);
    add("right", "right", seed, (i) => i % 2 === 0);
    add("occurrence", "occurrence", seed, (i) => i % 2 === 0 || i % 4 === 1);
  }
  return rows.map((row) => cellSchema.parse(row));
}

Deno.test("compareTruncation() pairs documents and finds the difference that is there", () => {
  const pairs = compareTruncation(cells(), presets.smoke).filter((c) => c.kind === "pair");
  const found = pairs.find((c) => c.id === "matched-toy-occurrence-right")!;
  assert.equal(found.estimate, 0.25);
  assert.equal(found.n, 40);
  assert.equal(found.verdict, "better");
  const control = pairs.find((c) => c.id === "matched-toy-occurrence-none")!;
  assert.equal(control.estimate, -0.25);
  assert.equal(control.verdict, "worse");
});

Deno.test("reportTruncation() is valid with all rows, with some and with none", () => {
  for (const rows of [cells(), cells().slice(0, 2), []]) {
    const comparisons = compareTruncation(rows, presets.smoke);
    const result = { cells: rows, comparisons, config: presets.smoke } as unknown as RunBody;
    const report = reportSchema.parse(reportTruncation(result));
    assert.ok(report.headline.length > 0);
    assert.equal(report.sections.length, rows.length > 0 ? 1 : 0);
  }
  const comparisons = compareTruncation(cells(), presets.smoke);
  const result = { cells: cells(), comparisons, config: presets.smoke } as unknown as RunBody;
  const [section] = reportTruncation(result).sections;
  assert.deepEqual(section.tables![0].rows[2].slice(0, 2), ["occurrence", "75.0 %"]);
});
