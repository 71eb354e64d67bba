import assert from "node:assert/strict";
import { compareLsg } from "../../../benchmarks/lsg/compare.ts";
import { presets } from "../../../benchmarks/lsg/presets.ts";
import { reportLsg } from "../../../benchmarks/lsg/report.ts";
import { TARGET_VARIANT, targets } from "../../../benchmarks/lsg/targets.ts";
import { summarizeSamples } from "../../../harness/statistics/mod.ts";
import {
  type Cell,
  cellSchema,
  comparisonSchema,
  reportSchema,
  type RunBody,
} from "../../../harness/result_schema.ts";

const config = presets.small;
const LENGTHS = [1024, 2048, 4096, 8192];

function timing(phase: string, ns: number) {
  const samplesNs = [0.99, 1, 1, 1.01, 1].map((factor) => Math.round(ns * factor));
  const stats = summarizeSamples(samplesNs, 1);
  return { phase, clock: "wall", samplesNs, blocks: [0, 1, 2, 3, 4], stats };
}

/** Full attention grows with T squared in time; LSG grows linearly and is five times as fast at 4096. */
function scalingCells(selectionShare: number): Cell[] {
  const row = (
    variant: string,
    label: string,
    T: number,
    part: string,
    phase: string,
    ns: number,
  ) =>
    cellSchema.parse({
      ...{ task: `scaling/${T}`, variant, params: { part, T } },
      implementation: { form: "fused", label },
      timings: [timing(phase, ns)],
      memoryBytes: { peak: 1000 * T },
    });
  return LENGTHS.flatMap((T) => {
    const lsg = 1e6 * 4096 * T / 5;
    return [
      row("full", "dense", T, "scaling-attention", "forward+backward", 1e6 * T * T),
      row(TARGET_VARIANT, "truly-sparse", T, "scaling-attention", "forward+backward", lsg),
      row(TARGET_VARIANT, "truly-sparse", T, "selection", "selection", lsg * selectionShare),
    ];
  });
}

function answerCells(part: string, stage: string, variant: string, right: (i: number) => boolean) {
  return [0, 1, 2].map((seed) => {
    const correct = Array.from({ length: 40 }, (_, i) => right(i));
    return cellSchema.parse({
      ...{ task: part, variant, params: { part, task: "factbook-questions", seed, stage } },
      implementation: { form: "fused", label: variant === "full" ? "dense" : "truly-sparse" },
      metrics: [{
        ...{ metric: "accuracy", unit: "1", split: "test", seed },
        value: correct.filter(Boolean).length / 40,
        slices: { early: 0.5, middle: 0.25, late: 0 },
      }],
      curves: [{
        ...{ name: "correct", xLabel: "document", yLabel: "1" },
        points: correct.map((ok, i) => [i, ok ? 1 : 0]),
      }],
    });
  });
}

const quality = [
  ...answerCells("quality", "trained", "full", () => true),
  ...answerCells("quality", "trained", "lsg-16-0", (i) => i % 2 === 0),
  ...answerCells("extrapolation", "truncated", "full", (i) => i % 4 === 0),
  ...answerCells("extrapolation", "zero-shot", "lsg-64-64-norm-2", (i) => i % 2 === 0),
  ...answerCells("extrapolation", "adapted", "lsg-64-64-norm-2", () => true),
];

function bodyOf(cells: Cell[]): RunBody {
  const comparisons = compareLsg(cells, config);
  comparisons.forEach((c) => comparisonSchema.parse(c));
  return { cells, comparisons, config } as unknown as RunBody;
}

Deno.test("compareLsg() finds the growth, the crossover, the reach and the share of the selection", () => {
  const { comparisons } = bodyOf(scalingCells(0.1));
  const find = (id: string) => comparisons.find((c) => c.id === id)!;
  const exponent = (id: string) => {
    const fit = find(id);
    return fit.kind === "fit" ? fit.exponent! : NaN;
  };
  assert.ok(Math.abs(exponent("growth-time-attention-full") - 2) < 1e-6);
  assert.ok(Math.abs(exponent(`growth-time-attention-${TARGET_VARIANT}`) - 1) < 1e-6);
  assert.ok(Math.abs(exponent(`growth-peak-attention-${TARGET_VARIANT}`) - 1) < 1e-6);
  const value = (id: string) => {
    const derived = find(id);
    return derived.kind === "derived" ? derived.value : null;
  };
  assert.equal(value(`crossover-attention-${TARGET_VARIANT}`), 1024);
  // 1000 bytes a token.
  const budget = config.scaling!.memoryBudgetMiB * 2 ** 20;
  assert.equal(value(`longest-attention-${TARGET_VARIANT}`), Math.floor(budget / 1000));
  assert.ok(Math.abs(value(`selection-${TARGET_VARIANT}-4096`)! - 0.1) < 1e-6);
});

Deno.test("targets() are met or red by what was measured", () => {
  const states = (share: number) => targets(bodyOf(scalingCells(share))).map(({ met }) => met);
  assert.deepEqual(states(0.1), [true, true, true]);
  assert.deepEqual(states(0.2), [true, true, false]);
  assert.deepEqual(targets(bodyOf([])).map(({ measured }) => measured), [null, null, null]);
});

Deno.test("a sweep that leaves a length out of one form has no false crossover", () => {
  const cells = scalingCells(0.1).filter((cell) =>
    cell.variant !== "full" || Number(cell.params.T) < 4096
  );
  const found = bodyOf(cells).comparisons.find((c) =>
    c.id === `crossover-attention-${TARGET_VARIANT}`
  )!;
  assert.ok(found.kind === "derived" && found.detail.includes("up to 2048"));
});

Deno.test("compareLsg() pairs documents over seeds", () => {
  const { comparisons } = bodyOf(quality);
  const pair = (id: string) => {
    const found = comparisons.find((c) => c.id === id);
    assert.ok(found?.kind === "pair", id);
    return [found.estimate, found.n, found.verdict];
  };
  assert.deepEqual(pair("quality-trained-factbook-questions-lsg-16-0"), [-0.5, 40, "worse"]);
  assert.deepEqual(pair("extrapolation-zero-shot-truncated"), [0.25, 40, "better"]);
  assert.deepEqual(pair("extrapolation-adapted-truncated"), [0.75, 40, "better"]);
});

Deno.test("reportLsg() is valid with all rows, with some and with none", () => {
  for (const cells of [[...scalingCells(0.1), ...quality], quality.slice(0, 4), []]) {
    const report = reportSchema.parse(reportLsg(bodyOf(cells)));
    assert.ok(report.headline.length > 0);
    const ids = report.sections.flatMap(({ charts }) => charts.map(({ id }) => id));
    assert.equal(new Set(ids).size, ids.length);
  }
  const { sections, headline } = reportSchema.parse(
    reportLsg(bodyOf([...scalingCells(0.1), ...quality])),
  );
  assert.match(headline[0], /0\.20 \[0\.20, 0\.20\] of the time of our own fused full attention/);
  const positions = sections.find(({ heading }) => heading === "Quality: factbook-questions")!
    .tables[1];
  assert.deepEqual(positions.rows[0], ["full", "50.0 %", "25.0 %", "0.0 %"]);
});
