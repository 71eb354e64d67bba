import type { Host } from "../host.ts";
import { readResult } from "../read_result.ts";
import type { RunResult } from "../result_schema.ts";
import { UserError } from "../user_error.ts";

/**
 * Reads and checks a result file named on the command line.
 *
 * @throws {UserError} Where it does not exist or is no result.
 */
export async function readResultFile(host: Host, path: string): Promise<RunResult> {
  const text = await host.readText(path);
  if (text === undefined) {
    throw new UserError(
      `Cannot read ${path}: there is no such file; expected a result file (.json)`,
    );
  }
  return await readResult(text, path);
}
