import assert from "node:assert/strict";
import {
  BEGIN,
  chooseResults,
  currentReadme,
  END,
  linkedResults,
  type NamedResult,
  renderTables,
  replaceTables,
  ROWS_SHOWN,
} from "../../tools/readme_tables.ts";

type Change = {
  benchmark?: string;
  kind?: "hardware" | "software";
  preset?: string;
  day?: string;
  complete?: boolean;
  rows?: number;
  audits?: { id: string; subject: string; status: string; detail: string }[];
};

/** As much of a result as the tables read. */
function named(path: string, change: Change = {}): NamedResult {
  const { benchmark = "leap", kind = "software", preset = "small", day = "01" } = change;
  const { complete = true, rows = 1, audits = [] } = change;
  const table = {
    title: "Loss",
    columns: [{ name: "variant" }, { name: "loss", align: "right" }],
    rows: Array.from({ length: rows }, (_, i) => [`v${i}`, i === 0 ? null : i]),
    note: "",
  };
  return {
    path,
    result: {
      benchmark: { name: benchmark, title: benchmark.toUpperCase() },
      preset,
      complete,
      shard: null,
      endedAt: `2026-11-${day}T10:00:00.000Z`,
      environment: { runtime: "deno", runtimeVersion: "2.9.6" },
      source: { commit: "0123456789abcdef" },
      system: { systemName: "name", accelerator: { class: kind, description: "pipe" } },
      audits,
      cells: [{ status: "ok", audits: [] }, { status: "failed", audits: [] }],
      report: {
        headline: ["first finding"],
        sections: [{ heading: "Empty", tables: [] }, { heading: "Quality", tables: [table] }],
      },
    } as unknown as NamedResult["result"],
  };
}

Deno.test("renderTables() shows headline, standing, adapter class and tables", () => {
  const audit = { id: "parity", subject: "leap", status: "red", detail: "worst 2, bound 1" };
  const text = renderTables([named("results/m/a.json", { audits: [audit] })]);
  assert.match(text, /### LEAP/);
  assert.match(text, /\[full report\]\(results\/m\/a\.md\), \[JSON\]\(results\/m\/a\.json\)/);
  assert.match(text, /\*\*software\*\* adapter/);
  assert.match(text, /never ranked with theirs/);
  assert.match(text, /- first finding/);
  assert.match(text, /Rows: 1 failed, 1 ok\. Audits: 0 of 1 ok\./);
  assert.match(text, /parity of leap is \*\*red\*\*: worst 2, bound 1/);
  assert.match(text, /\*\*Loss\*\*/);
  assert.match(text, /\| v0 {6}\| {4}- \|/);
});

Deno.test("renderTables() tells tables of the same title apart by their sections", () => {
  const { path, result } = named("results/m/a.json");
  const { sections } = result.report;
  const [table] = sections[1].tables;
  const both = ["Task A", "Task B"].map((heading) => ({
    ...sections[1],
    heading,
    tables: [table],
  }));
  const text = renderTables([{
    path,
    result: { ...result, report: { ...result.report, sections: both } },
  }]);
  assert.match(text, /\*\*Loss \(Task A\)\*\*/);
  assert.match(text, /\*\*Loss \(Task B\)\*\*/);
});

Deno.test("renderTables() says that a hardware run is no software run, and a smoke run no finding", () => {
  const hardware = renderTables([named("results/m/a.json", { kind: "hardware" })]);
  assert.doesNotMatch(hardware, /never ranked/);
  assert.doesNotMatch(hardware, /no finding/);
  assert.match(renderTables([named("results/m/a.json", { preset: "smoke" })]), /no finding/);
});

Deno.test("renderTables() cuts long tables and says so", () => {
  const text = renderTables([named("results/m/a.json", { rows: ROWS_SHOWN + 3 })]);
  assert.match(text, /3 more rows/);
  assert.ok(text.includes(`v${ROWS_SHOWN - 1} `));
  assert.ok(!text.includes(`v${ROWS_SHOWN} `));
});

Deno.test("replaceTables() keeps what is outside the markers and finds its own links again", () => {
  const readme = `before\n\n${BEGIN}\nprevious\n${END}\nafter\n`;
  const tables = renderTables([named("results/m/a.json"), named("results/m/b.json")]);
  const once = replaceTables(readme, tables);
  assert.ok(once.startsWith(`before\n\n${BEGIN}\n`) && once.endsWith(`${END}\nafter\n`));
  assert.ok(!once.includes("previous"));
  assert.equal(replaceTables(once, tables), once);
  assert.deepEqual(linkedResults(once), ["results/m/a.json", "results/m/b.json"]);
  assert.throws(() => replaceTables("no markers", tables), /report:begin/);
});

Deno.test("chooseResults() takes hardware, then the largest preset, then the newest", () => {
  const pick = (...items: NamedResult[]) => chooseResults(items).map(({ path }) => path);
  const small = named("small");
  assert.deepEqual(pick(named("smoke", { preset: "smoke", day: "09" }), small), ["small"]);
  assert.deepEqual(pick(small, named("newer", { day: "02" })), ["newer"]);
  assert.deepEqual(pick(small, named("gpu", { kind: "hardware", preset: "smoke" })), ["gpu"]);
  assert.deepEqual(pick(named("partial", { complete: false })), []);
  assert.deepEqual(pick(named("changed", { preset: "custom" })), []);
  assert.deepEqual(pick(small, named("peers", { benchmark: "apeers" })), ["peers", "small"]);
});

Deno.test("currentReadme() works without results and is stable", async () => {
  const root = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${root}/results/m`, { recursive: true });
    await Deno.writeTextFile(`${root}/results/m/machine.json`, `{"kind":"machine"}`);
    await Deno.writeTextFile(`${root}/README.md`, `${BEGIN}\n${END}\n`);
    const first = await currentReadme(root);
    assert.deepEqual(first.shown, []);
    assert.match(first.expected, /No report is committed yet/);
    await Deno.writeTextFile(`${root}/README.md`, first.expected);
    const second = await currentReadme(root);
    assert.equal(second.expected, second.actual);
    // A result that was changed by hand is refused, not shown.
    await Deno.writeTextFile(`${root}/results/m/a.json`, `{"kind":"attention-bench/run"}`);
    await assert.rejects(currentReadme(root), /schemaVersion is undefined/);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
