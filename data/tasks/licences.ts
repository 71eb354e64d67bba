/**
 * SPDX licence texts (npm package `spdx-license-list`) by family.
 * @module
 */

import { npmPackageFiles, type PackageFiles } from "../npm_sources.ts";
import { licenceFamily } from "./licence_families.ts";
import { TASK_SOURCES } from "./manifest.ts";
import { checkTask, type LabelledDocument, type TextTask } from "./text_task.ts";

/** Shorter texts are notices of a line or two. */
const MIN_WORDS = 60;

/** Opens the licences; a document's class and group are its family. {@link pairDocuments} makes the matching task of them. */
export async function openLicences(files: PackageFiles = npmPackageFiles): Promise<TextTask> {
  const { title, licence, origin, revision, sha256 } = TASK_SOURCES["spdx-licences"];
  const id = "spdx-licences";
  const { documents, classes } = await readLicences(files);
  return {
    ...{ id, title, licence, origin, revision, documents, classes, trust: "pinned" },
    sha256: await checkTask(id, documents, sha256),
  };
}

/** The texts in order of their identifiers, not verified. Of several identifiers with one text the first stays. */
export async function readLicences(
  files: PackageFiles,
): Promise<{ documents: LabelledDocument[]; classes: string[] }> {
  const list = await files.json("spdx-license-list", "spdx-full.json") as Record<
    string,
    { licenseText?: unknown }
  >;
  const seen = new Set<string>();
  const texts: { id: string; text: string }[] = [];
  for (const id of Object.keys(list).sort()) {
    const { licenseText } = list[id];
    if (typeof licenseText !== "string" || !licenseText.isWellFormed()) {
      throw new TypeError(
        `Cannot read the licence ${id}: licenseText is ${typeof licenseText}, expected Unicode text`,
      );
    }
    const text = licenseText.replaceAll(/\s+/g, " ").trim();
    if (seen.has(text) || text.split(" ").length < MIN_WORDS) continue;
    seen.add(text);
    texts.push({ id, text });
  }
  const classes = [...new Set(texts.map(({ id }) => licenceFamily(id)))].sort();
  const documents = texts.map(({ id, text }) => {
    const group = licenceFamily(id);
    return { id, text, label: classes.indexOf(group), group };
  });
  return { documents, classes };
}
