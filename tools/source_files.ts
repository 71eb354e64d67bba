import { joinPath } from "../harness/host.ts";

/** Folders that hold no source of this project. */
const SKIPPED = new Set([".git", ".cache", "node_modules", "_site", "coverage"]);

/**
 * Paths of files under a project folder, relative to it and sorted.
 *
 * @param root Project folder.
 * @param endings Name endings to keep, e.g. `[".ts"]`.
 */
export async function sourceFiles(root: string, endings: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  const visit = async (folder: string) => {
    for await (const entry of Deno.readDir(joinPath(root, folder))) {
      const path = joinPath(folder, entry.name);
      if (entry.isDirectory && !SKIPPED.has(entry.name)) await visit(path);
      else if (entry.isFile && endings.some((ending) => entry.name.endsWith(ending))) {
        found.push(path);
      }
    }
  };
  await visit("");
  return found.sort();
}
