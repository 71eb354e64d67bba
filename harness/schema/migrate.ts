/** Upgrades older result files, one version at a time. */
import { UserError } from "../user_error.ts";

type Json = Record<string, unknown>;

/** A pure function from a file of version n to one of version n + 1. */
export type Migration = (older: Json) => Json;

/** Key n holds the step from version n to n + 1. Version 1 is the first, so none exist yet. */
export const MIGRATIONS: Readonly<Record<number, Migration>> = {};

/**
 * Brings the content of a result file to `current`. Never guesses: an unknown or newer version is
 * refused with what to do.
 *
 * @param content Parsed JSON.
 * @param current Version wanted.
 * @param migrations Steps by the version they start from.
 * @param name What to call the file in errors.
 */
export function migrate(
  content: unknown,
  current: number,
  migrations: Readonly<Record<number, Migration>> = MIGRATIONS,
  name = "the result",
): Json {
  if (typeof content !== "object" || content === null || Array.isArray(content)) {
    throw new UserError(`Cannot read ${name}: the file is not a JSON object`);
  }
  let result = content as Json;
  const found = result.schemaVersion;
  if (typeof found !== "number" || !Number.isInteger(found) || found < 1) {
    throw new UserError(
      `Cannot read ${name}: schemaVersion is ${JSON.stringify(found)}, expected 1 to ${current}`,
    );
  }
  if (found > current) {
    throw new UserError(
      `Cannot read ${name}: schemaVersion is ${found}, this suite knows up to ${current}; ` +
        "update the suite to read it",
    );
  }
  for (let version = found; version < current; version++) {
    const step = migrations[version];
    if (step === undefined) {
      throw new UserError(`Cannot read ${name}: no upgrade from schemaVersion ${version} is known`);
    }
    result = { ...step(structuredClone(result)), schemaVersion: version + 1 };
  }
  return result;
}
