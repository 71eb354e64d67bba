/**
 * Gate: paths named in the documentation exist, tasks named in it exist, and no source file is too
 * long.
 *
 *     deno run --allow-read=. tools/check_docs.ts
 * @module
 */
import { joinPath } from "../harness/host.ts";
import { sourceFiles } from "./source_files.ts";

/** Longest allowed TypeScript file, in lines. */
export const MAX_LINES = 500;

/** First parts of a path that make a text in backticks a path of this project. */
const FOLDERS =
  "engine|attention|models|train|data|benchmarks|harness|site|results|tests|tools|docs|\\.ci|\\.github";

/** One finding. */
export interface DocViolation {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/**
 * Paths that a Markdown text names: link targets, and code in backticks that begins with a folder
 * of the project. Placeholders (`<machine>`, `*`, `{a,b}`, `...`) and addresses are left out.
 */
export function namedPaths(markdown: string): { target: string; line: number; isLink: boolean }[] {
  const found: { target: string; line: number; isLink: boolean }[] = [];
  const isConcrete = (text: string) => !/[<>*{}\s]|\.\.\.|…/.test(text);
  for (const [index, text] of markdown.split("\n").entries()) {
    for (const match of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      const target = match[1].split("#")[0];
      if (target && !/^[a-z][a-z+.-]*:/i.test(target) && isConcrete(target)) {
        found.push({ target, line: index + 1, isLink: true });
      }
    }
    for (const match of text.matchAll(/`([^`]+)`/g)) {
      const target = match[1].replace(/[.,:]$/, "").split("#")[0].replace(/:\d+$/, "");
      if (isConcrete(target) && new RegExp(`^(?:\\./)?(?:${FOLDERS})/`).test(target)) {
        found.push({ target, line: index + 1, isLink: false });
      }
    }
  }
  return found;
}

/** Names of the tasks that a text tells the reader to run. */
export function namedTasks(markdown: string): { task: string; line: number }[] {
  return markdown.split("\n").flatMap((text, index) =>
    [...text.matchAll(/deno task ([a-z][a-z:-]*)/g)].map((match) => ({
      task: match[1],
      line: index + 1,
    }))
  );
}

/** Checks the documentation and the file lengths of a project folder. */
export async function checkDocs(
  root: string,
): Promise<{ files: number; violations: DocViolation[] }> {
  const violations: DocViolation[] = [];
  const documents = (await sourceFiles(root, [".md"])).filter((path) =>
    // Reports are generated; they name files of the machine that made them.
    !/^results\/.+\//.test(path) && !path.startsWith("tests/fixtures/")
  );
  const config = JSON.parse(await Deno.readTextFile(joinPath(root, "deno.json")));
  const tasks = new Set(Object.keys(config.tasks ?? {}));
  for (const path of documents) {
    const text = await Deno.readTextFile(joinPath(root, path));
    const folder = path.split("/").slice(0, -1).join("/");
    for (const { target, line, isLink } of namedPaths(text)) {
      const candidates = isLink ? [joinPath(root, folder, target)] : [
        joinPath(root, target),
        joinPath(root, folder, target),
      ];
      if (!await anyExists(candidates)) {
        violations.push({ path, line, message: `names ${target}, which does not exist` });
      }
    }
    for (const { task, line } of namedTasks(text)) {
      if (!tasks.has(task)) {
        violations.push({ path, line, message: `names the task ${task}, which deno.json lacks` });
      }
    }
  }
  const sources = await sourceFiles(root, [".ts"]);
  for (const path of sources) {
    const lines = (await Deno.readTextFile(joinPath(root, path))).split("\n").length - 1;
    if (lines > MAX_LINES) {
      violations.push({
        path,
        line: MAX_LINES + 1,
        message: `has ${lines} lines, expected at most ${MAX_LINES}; split it by subject`,
      });
    }
  }
  return { files: documents.length + sources.length, violations };
}

async function anyExists(paths: readonly string[]): Promise<boolean> {
  for (const path of paths) {
    try {
      await Deno.stat(path);
      return true;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return false;
}

if (import.meta.main) {
  const { files, violations } = await checkDocs(Deno.args[0] ?? ".");
  for (const { path, line, message } of violations) console.error(`${path}:${line}: ${message}`);
  console.log(`docs check: ${files} files, ${violations.length} violations`);
  if (violations.length > 0) Deno.exit(1);
}
