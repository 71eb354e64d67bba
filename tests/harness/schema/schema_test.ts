import assert from "node:assert/strict";
import { canonicalJson, contentSha256, formatJson } from "../../../harness/canonical_json.ts";
import { readResult } from "../../../harness/read_result.ts";
import { runResultSchema } from "../../../harness/result_schema.ts";
import { runBenchmark } from "../../../harness/runner.ts";
import { migrate } from "../../../harness/schema/migrate.ts";
import { UserError } from "../../../harness/user_error.ts";
import { README_PATH, readmeText, SCHEMA_PATH, schemaText } from "../../../tools/export_schema.ts";
import { createMemoryHost } from "../_helpers/memory_host.ts";
import { toyOptions } from "../_helpers/toy_benchmark.ts";

type Json = Record<string, unknown>;

async function resultJson(change: (content: Json) => void = () => {}): Promise<string> {
  const { result } = await runBenchmark(toyOptions(createMemoryHost()));
  const content = structuredClone(result) as unknown as Json;
  change(content);
  content.contentSha256 = await contentSha256(content);
  return JSON.stringify(content);
}

Deno.test("the committed JSON Schema and key list are those of the source", async () => {
  const root = new URL("../../../", import.meta.url);
  assert.equal(await Deno.readTextFile(new URL(SCHEMA_PATH, root)), schemaText());
  assert.equal(await Deno.readTextFile(new URL(README_PATH, root)), readmeText());
});

Deno.test("every key of the schema is documented", () => {
  const undocumented = readmeText().split("\n").filter((line) => /^- `[^`]+` \(.*\)$/.test(line))
    .filter((line) => !/\): /.test(line));
  assert.deepEqual(undocumented, []);
});

Deno.test("every object of the schema is closed", () => {
  const open: string[] = [];
  const visit = (node: unknown, path: string) => {
    if (typeof node !== "object" || node === null) return;
    const { properties, additionalProperties } = node as Json;
    if (properties !== undefined && typeof properties === "object") {
      if ((node as Json).type === "object" && additionalProperties !== false) open.push(path);
    }
    for (const [name, child] of Object.entries(node)) visit(child, `${path}/${name}`);
  };
  visit(JSON.parse(schemaText()), "");
  assert.deepEqual(open, []);
});

Deno.test("readResult() refuses unknown keys, NaN stand-ins, bad digests and other files", async () => {
  await assert.rejects(async () => readResult(await resultJson((r) => r.extra = 1)), /extra/);
  await assert.rejects(
    async () => readResult(await resultJson((r) => (r.cells as Json[])[0].status = "fine")),
    /status/,
  );
  const edited = (await resultJson()).replace('"value":3.', '"value":2.');
  await assert.rejects(() => readResult(edited), /changed after it was written/);
  await assert.rejects(() => readResult("{", "x.json"), /Cannot read x.json: it is not JSON/);
  await assert.rejects(() => readResult("[1]"), UserError);
  await assert.rejects(() => readResult("null"), UserError);
});

Deno.test("readResult() refuses a newer version with what to do", async () => {
  const newer = await resultJson((r) => r.schemaVersion = 2);
  await assert.rejects(() => readResult(newer), /knows up to 1; update the suite/);
});

Deno.test("readResult() survives hostile nesting", async () => {
  const deep = '{"schemaVersion":1,"x":' + "[".repeat(50_000) + "]".repeat(50_000) + "}";
  await assert.rejects(() => readResult(deep), UserError);
});

Deno.test("migrate() goes step by step, leaves its input alone and never skips", () => {
  const steps = {
    1: (older: Json) => ({ ...older, b: (older.a as number) + 1 }),
    2: (older: Json) => ({ ...older, c: (older.b as number) * 10 }),
  };
  const old = { schemaVersion: 1, a: 4 };
  assert.deepEqual(migrate(old, 3, steps), { schemaVersion: 3, a: 4, b: 5, c: 50 });
  assert.deepEqual(old, { schemaVersion: 1, a: 4 });
  assert.throws(() => migrate(old, 3, { 1: steps[1] }), /no upgrade from schemaVersion 2/);
  for (const version of [0, 1.5, "1", undefined, null]) {
    assert.throws(() => migrate({ schemaVersion: version }, 1), UserError);
  }
});

Deno.test("canonicalJson() sorts keys, drops undefined and refuses NaN by its path", () => {
  assert.equal(
    canonicalJson({ b: [1, { d: 1, c: null }], a: undefined }),
    '{"b":[1,{"c":null,"d":1}]}',
  );
  assert.throws(() => canonicalJson({ cells: [{ value: NaN }] }), /\$\.cells\[0\]\.value is NaN/);
});

Deno.test("formatJson() holds the same value and keeps samples on one line", () => {
  const value = { samples: [3, 1, 2], rows: [{ a: 1 }], empty: {}, none: [] };
  const text = formatJson(value);
  assert.deepEqual(JSON.parse(text), value);
  assert.match(text, /"samples": \[3, 1, 2\]/);
});

Deno.test("the schema accepts what later benchmarks record", () => {
  const { cells } = runResultSchema.shape;
  const rows = [
    {
      task: "peer",
      variant: "onnxruntime",
      implementation: {
        form: "peer",
        peer: { name: "onnxruntime-web", version: "1.0.0", backend: "wasm" },
        parameters: 5_500_000,
      },
      timings: [{ phase: "decode", clock: "wall", samplesNs: [1, 2] }],
      metrics: [{ metric: "tokens-per-second", unit: "tokens/s", value: 10, better: "higher" }],
    },
    {
      task: "clusters",
      variant: "barlow-twins",
      metrics: [{ metric: "adjusted-rand-index", unit: "1", value: 0.4, seed: 3 }],
      attachments: [{
        name: "labels.json",
        mediaType: "application/json",
        bytes: 2,
        sha256: "0".repeat(64),
      }],
    },
    {
      task: "skip",
      variant: "lsg",
      params: { T: 16384, pattern: "strided" },
      status: "skipped",
      reasons: [{ code: "unsupported", message: "the adapter binds at most 128 MiB" }],
    },
  ];
  assert.equal(cells.parse(rows).length, 3);
});
