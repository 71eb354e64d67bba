/**
 * Gate: the published JSON Schema and the documentation of every key are those of the code.
 *
 *     deno run --allow-read=. tools/check_schema.ts
 * @module
 */
import { joinPath } from "../harness/host.ts";
import { README_PATH, readmeText, SCHEMA_PATH, schemaText } from "./export_schema.ts";

/** Paths of the derived files that are missing or differ from what the code gives. */
export async function staleSchemaFiles(root: string): Promise<string[]> {
  const expected = { [SCHEMA_PATH]: schemaText(), [README_PATH]: readmeText() };
  const stale: string[] = [];
  for (const [path, text] of Object.entries(expected)) {
    const actual = await Deno.readTextFile(joinPath(root, path)).catch(() => undefined);
    if (actual !== text) stale.push(path);
  }
  return stale;
}

if (import.meta.main) {
  const stale = await staleSchemaFiles(Deno.args[0] ?? ".");
  for (const path of stale) {
    console.error(`${path} is not current; run tools/export_schema.ts and commit what it writes`);
  }
  console.log(`schema check: ${stale.length} stale files`);
  if (stale.length > 0) Deno.exit(1);
}
