import { z } from "zod";
import { contentSha256 } from "./canonical_json.ts";
import { type RunResult, runResultSchema, SCHEMA_VERSION } from "./result_schema.ts";
import { migrate, MIGRATIONS } from "./schema/migrate.ts";
import { UserError } from "./user_error.ts";

/** Largest result file that is read; samples of a long run stay far below. */
export const MAX_RESULT_BYTES = 64 * 2 ** 20;

/**
 * Reads and checks the text of a result file: size, JSON, version, digest, schema.
 *
 * @param text Content of the file.
 * @param name Name used in messages.
 * @throws UserError that says what is wrong and where.
 */
export async function readResult(text: string, name = "result"): Promise<RunResult> {
  if (text.length > MAX_RESULT_BYTES) {
    throw new UserError(
      `Cannot read ${name}: it has ${text.length} characters, at most ${MAX_RESULT_BYTES} are read`,
    );
  }
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw new UserError(`Cannot read ${name}: it is not JSON (${(cause as Error).message})`);
  }
  try {
    return await checkResult(content, name);
  } catch (error) {
    // A stack overflow: no result of this suite nests deeper than its schema.
    if (!(error instanceof RangeError)) throw error;
    throw new UserError(`Cannot read ${name}: it is nested too deeply`);
  }
}

async function checkResult(content: unknown, name: string): Promise<RunResult> {
  const version = (content as { schemaVersion?: unknown } | null)?.schemaVersion;
  const migrated = migrate(content, SCHEMA_VERSION, MIGRATIONS, name);
  // The digest is of the file as written, so it is checked before the migration's changes.
  const stated = (content as Record<string, unknown>).contentSha256;
  const actual = await contentSha256(content as object);
  if (stated !== actual) {
    throw new UserError(
      `Cannot read ${name}: contentSha256 is ${stated}, its content gives ${actual}; the file was ` +
        "changed after it was written",
    );
  }
  if (version !== SCHEMA_VERSION) migrated.contentSha256 = await contentSha256(migrated);
  const checked = runResultSchema.safeParse(migrated);
  if (!checked.success) {
    throw new UserError(`Cannot read ${name}: ${z.prettifyError(checked.error)}`);
  }
  return checked.data;
}
