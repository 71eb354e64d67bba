import assert from "node:assert/strict";
import { checkDocs, MAX_LINES, namedPaths, namedTasks } from "../../tools/check_docs.ts";

Deno.test("namedPaths() finds links and paths in backticks, not placeholders or addresses", () => {
  const text = [
    "See [the guide](docs/measuring.md#clock) and `harness/main.ts`.",
    "[Deno](https://deno.com), [mail](mailto:a@b.c), [top](#top), `results/<machine>/x.json`,",
    "`attention/*/naive.ts`, `npm install`, `tests/engine/a_test.ts:12`.",
  ].join("\n");
  assert.deepEqual(namedPaths(text).map(({ target, line }) => [target, line]), [
    ["docs/measuring.md", 1],
    ["harness/main.ts", 1],
    ["tests/engine/a_test.ts", 3],
  ]);
});

Deno.test("namedTasks() finds the tasks a text tells the reader to run", () => {
  assert.deepEqual(namedTasks("Run `deno task bench all`\nor npx -y deno task check-docs."), [
    { task: "bench", line: 1 },
    { task: "check-docs", line: 2 },
  ]);
});

Deno.test("checkDocs() reports missing paths, unknown tasks and long files, and nothing else", async () => {
  const root = await Deno.makeTempDir();
  const write = async (path: string, text: string) => {
    await Deno.mkdir(`${root}/${path}/..`.replace(/\/[^/]+\/\.\.$/, ""), { recursive: true });
    await Deno.writeTextFile(`${root}/${path}`, text);
  };
  try {
    await write("deno.json", `{ "tasks": { "bench": "echo" } }`);
    await write("docs/guide.md", "[up](../README.md) `engine/long.ts`\n[gone](gone.md)\n");
    await write("README.md", "`deno task bench`, `deno task fly`\n`harness/gone.ts`\n");
    await write("engine/long.ts", "//\n".repeat(MAX_LINES + 1));
    await write("engine/fits.ts", "//\n".repeat(MAX_LINES));
    const { violations } = await checkDocs(root);
    assert.deepEqual(
      violations.map(({ path, line, message }) => `${path}:${line} ${message}`).sort(),
      [
        "README.md:1 names the task fly, which deno.json lacks",
        "README.md:2 names harness/gone.ts, which does not exist",
        "docs/guide.md:2 names gone.md, which does not exist",
        `engine/long.ts:501 has 501 lines, expected at most 500; split it by subject`,
      ],
    );
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
