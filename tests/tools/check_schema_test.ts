import assert from "node:assert/strict";
import { staleSchemaFiles } from "../../tools/check_schema.ts";
import { README_PATH, readmeText, SCHEMA_PATH, schemaText } from "../../tools/export_schema.ts";

Deno.test("staleSchemaFiles() finds missing and changed files", async () => {
  const root = await Deno.makeTempDir();
  try {
    assert.deepEqual(await staleSchemaFiles(root), [SCHEMA_PATH, README_PATH]);
    await Deno.mkdir(`${root}/results/schema`, { recursive: true });
    await Deno.writeTextFile(`${root}/${SCHEMA_PATH}`, schemaText());
    await Deno.writeTextFile(`${root}/${README_PATH}`, readmeText() + "\n");
    assert.deepEqual(await staleSchemaFiles(root), [README_PATH]);
    await Deno.writeTextFile(`${root}/${README_PATH}`, readmeText());
    assert.deepEqual(await staleSchemaFiles(root), []);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
