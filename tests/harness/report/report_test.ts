import assert from "node:assert/strict";
import { formatJson } from "../../../harness/canonical_json.ts";
import { matchPublished } from "../../../harness/match_published.ts";
import { readResult } from "../../../harness/read_result.ts";
import {
  formatBytes,
  formatDuration,
  formatNumber,
  formatRate,
  formatSpan,
  markdownTable,
  regenerateReport,
  renderChart,
  renderMarkdown,
  writeResult,
} from "../../../harness/report/mod.ts";
import { formatTick, logTicks } from "../../../harness/report/plot_options.ts";
import type { ReportChart, RunResult } from "../../../harness/result_schema.ts";
import { runBenchmark } from "../../../harness/runner.ts";
import { createMemoryHost } from "../_helpers/memory_host.ts";
import { toyOptions } from "../_helpers/toy_benchmark.ts";

async function toyResult(): Promise<RunResult> {
  const outcome = await runBenchmark(toyOptions(createMemoryHost(), (context, index) => {
    if (index === 0) {
      context.audit({
        id: "causality",
        subject: "fast",
        n: 100,
        statistic: 3,
        threshold: 0,
        canaries: [2, 2],
        status: "red",
        detail: "sees the future | really",
      });
      context.record({
        variant: "broken",
        status: "failed",
        reasons: [{ code: "out-of-memory", message: "2 GiB asked" }],
      });
    }
  }));
  return outcome.result!;
}

const chart: ReportChart = {
  id: "time",
  title: "Time <against> length",
  mark: "line",
  x: { label: "length (tokens)", scale: "log" },
  y: { label: "time (ms)", scale: "log" },
  series: ["a & b", "c"].map((name, k) => ({
    name,
    points: [256, 512, 1024, 8192].map((x) => ({
      x,
      y: x * (k + 1) / 100,
      low: x * (k + 1) / 110,
      high: x * (k + 1) / 90,
      value: null,
    })),
  })),
  references: [{ axis: "x", value: 1024, label: "training length" }],
  note: "",
};

Deno.test("renderMarkdown() is byte-stable through the result file", async () => {
  const result = await toyResult();
  const text = renderMarkdown(result, "charts");
  const reread = await readResult(formatJson(result));
  assert.equal(renderMarkdown(reread, "charts"), text);
});

Deno.test("renderMarkdown() shows headline, timings, audits, failures, published and provenance", async () => {
  const text = renderMarkdown(await toyResult(), "charts");
  assert.match(text, /^# Toy on a fake for tests\n\n\*\*13 rows were recorded\.\*\*/);
  assert.match(text, /software adapter/);
  assert.match(text, /\| causality \| fast +\| \*\*red\*\* +\| +100 \| +3 \| +0 \| +2 of 2 \|/);
  assert.match(text, /sees the future \\\| really/);
  assert.match(text, /\| broken .*out-of-memory: 2 GiB asked/);
  assert.match(text, /\| loss +\| fast at T=64 +\| +3 nats\/token .*no: preset small, not paper/);
  assert.match(text, /\| toy-text .*CC0-1\.0/);
  assert.match(text, /!\[Loss against length\]\(charts\/loss\.svg\)/);
  assert.match(text, /content SHA-256 [0-9a-f]{64}/);
});

Deno.test("matchPublished() averages over seeds and gives the ratio", async () => {
  const [match] = matchPublished(await toyResult());
  assert.equal(match.ours!.values.length, 2);
  assert.equal(match.ratio, match.ours!.estimate / 3);
  assert.equal(match.comparable, false);
});

Deno.test("writeResult() and regenerateReport() write equal reports", async () => {
  const host = createMemoryHost();
  const outcome = await runBenchmark(toyOptions(host, async (context, index) => {
    if (index === 0) {
      await context.attach("tokens.json", new Uint8Array([91, 93]), "application/json");
    }
  }));
  const written = await writeResult(host, outcome.result!, outcome.folder);
  assert.match(written.json, /^results\/test-machine\/20261122T\d{6}Z-toy-small-abcdef01\.json$/);
  const stem = written.json.replace(/\.json$/, "");
  for (const path of [`${stem}.md`, `${stem}/loss.svg`, `${stem}/tokens.json`]) {
    assert.ok(host.files.has(path), path);
  }
  assert.ok(host.files.has("results/test-machine/machine.json"));
  const before = [host.text(`${stem}.md`), host.text(`${stem}/loss.svg`)];
  await host.remove(`${stem}.md`);
  await regenerateReport(host, written.json);
  assert.deepEqual([host.text(`${stem}.md`), host.text(`${stem}/loss.svg`)], before);
});

Deno.test("renderChart() is deterministic, escapes names and labels every own tick", async () => {
  const svg = await renderChart(chart);
  assert.equal(await renderChart(chart), svg);
  assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  assert.match(svg, /Time &lt;against&gt; length/);
  assert.match(svg, />a &amp; b</);
  for (const label of ["256", "512", "1024", "8192", "training length", "time (ms)"]) {
    assert.ok(svg.includes(`>${label}</text>`), label);
  }
  assert.ok(!/NaN|undefined|Infinity/.test(svg));
});

Deno.test("renderChart() draws bars, dots and heat maps, and nothing from no points", async () => {
  const category = { label: "corpus", scale: "category" as const };
  const linear = { label: "value", scale: "linear" as const };
  const points = ["x", "y"].map((x, i) => ({ x, y: 2 + i, low: 1, high: 4, value: null }));
  const heat = ["x", "y"].map((x, i) => ({ x, y: "row", low: null, high: null, value: i }));
  const variants: ReportChart[] = [
    { ...chart, mark: "bar", x: category, y: linear, series: [{ name: "a", points }] },
    { ...chart, mark: "dot", x: category, y: linear, series: [{ name: "a", points }] },
    { ...chart, mark: "heatmap", x: category, y: category, series: [{ name: "a", points: heat }] },
    { ...chart, references: [], series: [{ name: "a", points: [] }] },
    { ...chart, references: [], series: [] },
  ];
  for (const variant of variants) {
    const svg = await renderChart({ ...variant, references: [] });
    assert.ok(svg.endsWith("</svg>\n"), variant.mark);
    assert.ok(!/NaN|undefined/.test(svg), variant.mark);
  }
  assert.match(await renderChart({ ...variants[0], references: [] }), /aria-label="bar"/);
});

Deno.test("logTicks() uses the values where they are few, else round numbers", () => {
  assert.deepEqual(logTicks([256, 512, 1024]), [256, 512, 1024]);
  const many = Array.from({ length: 50 }, (_, i) => 3 + i);
  assert.deepEqual(logTicks(many), [5, 10, 20, 50]);
  assert.deepEqual([8192, 32768, 50000, 2e6, 0.02, 1e-7].map(formatTick), [
    "8192",
    "32768",
    "50k",
    "2M",
    "0.02",
    "1e-7",
  ]);
});

Deno.test("format functions keep four digits and the right unit", () => {
  assert.deepEqual([0, 1234567, 45.6, 0.000012, null].map((value) => formatNumber(value)), [
    "0",
    "1234567",
    "45.60",
    "1.200e-5",
    "-",
  ]);
  assert.equal(formatDuration(1_234_567), "1.235 ms");
  assert.equal(formatDuration(2.5e9), "2.500 s");
  assert.equal(formatBytes(3 * 2 ** 20), "3 MiB");
  assert.equal(formatRate(1.2e12, "FLOP/s"), "1.200 TFLOP/s");
  assert.equal(formatSpan(3_725_000), "1 h 2 min");
});

Deno.test("markdownTable() escapes what would break the page", () => {
  const table = markdownTable([{ name: "a" }, { name: "b", align: "right" }], [["x|y", "1\n2"], [
    "<img>",
  ]]);
  assert.equal(
    table,
    ["| a       |   b |", "| ------- | --: |", "| x\\|y    | 1 2 |", "| &lt;img> |     |"].join(
      "\n",
    )
      .replace("| a       |", "| a        |").replace("| ------- |", "| -------- |")
      .replace("| x\\|y    |", "| x\\|y     |"),
  );
});
