import assert from "node:assert/strict";

const root = new URL("../../", import.meta.url);
const text = await Deno.readTextFile(new URL("docs/measuring.md", root));

/** Rows `| NAME | value | file | meaning |` of the table of constants. */
const rows = [...text.matchAll(/^\| `([A-Z_0-9]+)`\s*\|\s*([\d.]+) \| `([^`]+\.ts)`/gm)]
  .map(([, name, value, file]) => ({ name, value: Number(value), file }));

Deno.test("docs/measuring.md gives every constant the value it has in the code", async () => {
  assert.ok(rows.length > 30, `only ${rows.length} rows were found`);
  for (const { name, value, file } of rows) {
    const module = await import(new URL(file, root).href);
    assert.equal(value, module[name], `${name} of ${file}`);
  }
});

Deno.test("docs/measuring.md names every constant of the sampling policy", async () => {
  const policy = await import(new URL("harness/measure/policy.ts", root).href);
  const named = new Set(rows.map(({ name }) => name));
  assert.deepEqual(Object.keys(policy).filter((name) => !named.has(name)), []);
});

Deno.test("docs/measuring.md names only constants of its table", () => {
  const named = new Set(rows.map(({ name }) => name));
  const used = [...text.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, name]) => name);
  assert.ok(used.length > rows.length);
  assert.deepEqual(used.filter((name) => !named.has(name)), []);
});
