import assert from "node:assert/strict";
import { checkFile, checkImports } from "../../tools/check_imports.ts";

/** Messages for a file with this text. */
function messages(path: string, source: string): string[] {
  return checkFile(path, source).map(({ message }) => message);
}

Deno.test("checkFile() accepts imports that go down the order", () => {
  const allowed: [string, string][] = [
    ["attention/leap/naive.ts", "../../engine/mod.ts"],
    ["models/gpt.ts", "../attention/leap/mod.ts"],
    ["train/loop.ts", "../models/mod.ts"],
    ["benchmarks/leap/bench.ts", "../../train/mod.ts"],
    ["benchmarks/leap/bench.ts", "../../data/mod.ts"],
    ["benchmarks/leap/bench.ts", "../../harness/contract.ts"],
    ["benchmarks/leap/bench.ts", "../../harness/statistics/mod.ts"],
    ["benchmarks/leap/bench.ts", "./presets.ts"],
    ["harness/registry.ts", "../benchmarks/leap/bench.ts"],
    ["harness/cli/bench.ts", "../../engine/mod.ts"],
    ["harness/environment.ts", "node:os"],
  ];
  for (const [path, specifier] of allowed) {
    assert.deepEqual(messages(path, `import { x } from "${specifier}";`), [], path);
  }
});

Deno.test("checkFile() reports imports that go up the order", () => {
  const forbidden: [string, string][] = [
    ["engine/gpu.ts", "../attention/leap/mod.ts"],
    ["attention/leap/naive.ts", "../../models/mod.ts"],
    ["models/gpt.ts", "../train/mod.ts"],
    ["train/loop.ts", "../benchmarks/leap/bench.ts"],
  ];
  for (const [path, specifier] of forbidden) {
    assert.match(messages(path, `import { x } from "${specifier}";`).join(), /the order is/, path);
  }
});

Deno.test("checkFile() keeps data free of the other folders", () => {
  assert.match(
    messages("data/batch.ts", `import type { Tensor } from "../engine/mod.ts";`).join(),
    /data imports no other folder/,
  );
});

Deno.test("checkFile() reports the runtime in core folders and neutral harness files", () => {
  for (const path of ["engine/gpu.ts", "data/corpus.ts", "harness/runner.ts"]) {
    const found = messages(path, `import fs from "node:fs";\nconst x = Deno.readFile(fs);`);
    assert.equal(found.length, 2, path);
    assert.match(found.join(), /uses Deno/);
    assert.match(found.join(), /imports node:fs/);
  }
  assert.deepEqual(messages("harness/deno_host.ts", "Deno.cwd();"), []);
});

Deno.test("checkFile() finds dynamic imports, re-exports and type imports", () => {
  for (
    const source of [
      `const x = await import("../models/mod.ts");`,
      `export * from "../models/mod.ts";`,
      `export { y } from "../models/mod.ts";`,
      `import type { Y } from "../models/mod.ts";`,
      `import {\n  a,\n  b,\n} from "../models/mod.ts";`,
      `import "../models/mod.ts";`,
    ]
  ) {
    assert.equal(messages("engine/gpu.ts", source).length, 1, source);
  }
});

Deno.test("checkFile() does not mistake comments and texts for code", () => {
  const source = [
    "/** Like Deno.readFile, see node:fs. import x from '../models/mod.ts' */",
    "// Deno.cwd()",
    'const text = "no Deno. here";',
    "const shader = `import x from '../models/mod.ts'; Deno.cwd()`;",
    'const url = "https://example.org"; const after = 1;',
  ].join("\n");
  assert.deepEqual(messages("engine/gpu.ts", source), []);
});

Deno.test("checkFile() keeps benchmarks away from the command line and the Deno host", () => {
  for (const file of ["main.ts", "deno_host.ts", "cli/bench.ts", "environment.ts"]) {
    assert.match(
      messages("benchmarks/leap/bench.ts", `import "../../harness/${file}";`).join(),
      /not a runtime-neutral harness file/,
    );
  }
});

Deno.test("checkFile() lets the lower folders import nothing of the harness but the host", () => {
  assert.deepEqual(
    messages("train/loop.ts", `import type { Host } from "../harness/host.ts";`),
    [],
  );
  assert.match(
    messages("train/loop.ts", `import "../harness/measure.ts";`).join(),
    /may import harness\/host\.ts alone/,
  );
});

Deno.test("checkFile() lets only the registry reach benchmarks", () => {
  assert.match(
    messages("harness/cli/list.ts", `import("../../benchmarks/leap/bench.ts")`).join(),
    /only harness\/registry\.ts may/,
  );
});

Deno.test("checkFile() reports imports of shared/, of other trees and of addresses", () => {
  assert.match(messages("harness/main.ts", `import "../shared/x.ts";`).join(), /not part of/);
  assert.match(messages("harness/main.ts", `import "../../other/x.ts";`).join(), /not part of/);
  assert.match(messages("harness/main.ts", `import "jsr:@std/path";`).join(), /pinned in deno/);
  assert.match(messages("harness/main.ts", `import "https://a.b/c.ts";`).join(), /pinned in deno/);
});

Deno.test("checkFile() gives the line of the violation", () => {
  const [violation] = checkFile("engine/gpu.ts", "/* two\nlines */\n\nimport '../models/a.ts';");
  assert.equal(violation.line, 4);
});

Deno.test("checkImports() finds a planted violation", async () => {
  const root = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${root}/engine`);
    await Deno.writeTextFile(`${root}/engine/bad.ts`, `export * from "../train/mod.ts";\n`);
    const planted = await checkImports(root);
    assert.deepEqual(planted.violations.map(({ path, line }) => [path, line]), [
      ["engine/bad.ts", 1],
    ]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
