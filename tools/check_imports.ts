/**
 * Gate: imports go one way and the core stays runtime-neutral.
 *
 * `engine < attention < models < train < benchmarks`: a folder imports only what stands to its left.
 * `data` imports none of them. The core may use the harness's runtime-neutral files only, and the
 * harness reaches `benchmarks/` in its registry alone.
 *
 *     deno run --allow-read=. tools/check_imports.ts
 * @module
 */
import { joinPath } from "../harness/host.ts";
import { sourceFiles } from "./source_files.ts";

/** Folders in import order. */
const LAYERS = ["engine", "attention", "models", "train", "benchmarks"] as const;

/** Folders in which `Deno.` and `node:` are not allowed, and what else they may import. */
const CORE: Readonly<Record<string, readonly string[]>> = {
  engine: [],
  attention: ["engine"],
  models: ["engine", "attention"],
  train: ["engine", "attention", "models", "data"],
  benchmarks: ["engine", "attention", "models", "train", "data"],
  data: [],
};

/** Files of `data/` whose work is the runtime: they read files or packages for the rest. */
const RUNTIME_FILES = new Set(["data/npm_sources.ts"]);

/**
 * Runtime-neutral harness files: benchmarks may import them, a browser tab runs them, and they are
 * held to the same rule as the core.
 */
const NEUTRAL_HARNESS =
  /^harness\/(?:(?:contract|host|user_error|result_schema|canonical_json|roofline|measure|pair_timings|group_metrics|match_published|runner|calibration|read_result|compare)\.ts|(?:statistics|audits|schema|measure|runner|report|compare)\/)/;

/** The one harness file that the other core folders may import, for its types. */
const HOST = "harness/host.ts";

/** The one harness file that may import benchmarks. */
const REGISTRY = "harness/registry.ts";

/** One broken rule. */
export interface ImportViolation {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/**
 * Checks one file.
 *
 * @param path Path relative to the project folder.
 * @param source Text of the file.
 */
export function checkFile(path: string, source: string): ImportViolation[] {
  const violations: ImportViolation[] = [];
  const folder = path.split("/")[0];
  const isCore = folder in CORE;
  const isNeutral = (isCore && !RUNTIME_FILES.has(path)) || NEUTRAL_HARNESS.test(path);
  const code = withoutComments(source);
  const report = (index: number, message: string) =>
    violations.push({ path, line: code.slice(0, index).split("\n").length, message });

  if (isNeutral) {
    for (const match of withoutTexts(code).matchAll(/(?<![\w.$])Deno\s*\./g)) {
      report(match.index, "uses Deno, expected web-standard APIs or the Host interface");
    }
  }
  for (const { specifier, index } of importsOf(code)) {
    if (isNeutral && specifier.startsWith("node:")) {
      report(index, `imports ${specifier}, expected web-standard APIs or the Host interface`);
    }
    if (/^(?:https?|jsr):/.test(specifier)) {
      report(index, `imports ${specifier}, expected a package pinned in deno.json`);
    }
    if (!specifier.startsWith(".")) continue;
    const target = resolvePath(path, specifier);
    const targetFolder = target.split("/")[0];
    if (targetFolder === "shared" || target.startsWith("../")) {
      report(index, `imports ${target}, which is not part of the project`);
    } else if (isCore && targetFolder !== folder) {
      if (targetFolder === "harness") {
        if (folder === "benchmarks" ? !NEUTRAL_HARNESS.test(target) : target !== HOST) {
          report(
            index,
            folder === "benchmarks"
              ? `${folder} imports ${target}, which is not a runtime-neutral harness file`
              : `${folder} imports ${target}; of the harness it may import ${HOST} alone`,
          );
        }
      } else if (!CORE[folder].includes(targetFolder)) {
        report(index, `${folder} imports ${target}: ${explainOrder(folder)}`);
      }
    } else if (folder === "harness" && targetFolder === "benchmarks" && path !== REGISTRY) {
      report(index, `imports ${target}, which only ${REGISTRY} may`);
    } else if (folder === "harness" && ["tests", "tools", "site"].includes(targetFolder)) {
      report(index, `imports ${target}; the harness stands below ${targetFolder}`);
    }
  }
  return violations;
}

/** Checks every TypeScript file of a project folder. */
export async function checkImports(
  root: string,
): Promise<{ files: number; violations: ImportViolation[] }> {
  const files = await sourceFiles(root, [".ts"]);
  const violations: ImportViolation[] = [];
  for (const path of files) {
    // Tests plant violations as text.
    if (path.startsWith("tests/")) continue;
    violations.push(...checkFile(path, await Deno.readTextFile(joinPath(root, path))));
  }
  return { files: files.length, violations };
}

function explainOrder(folder: string): string {
  const allowed = CORE[folder];
  if (folder === "data") return "data imports no other folder";
  return `the order is ${LAYERS.join(" < ")}` +
    (allowed.length > 0 ? ` (${folder} may import ${allowed.join(", ")})` : "");
}

/** Static imports and re-exports, and dynamic imports of a literal. */
function importsOf(code: string): { specifier: string; index: number }[] {
  const pattern = /(?:\bfrom\s*|^\s*import\s*|\bimport\s*\(\s*)(["'])([^"'\n]+)\1/gm;
  return [...code.matchAll(pattern)].map((match) => ({
    specifier: match[2],
    index: match.index + match[0].indexOf(match[1]),
  }));
}

/** Blanks out the contents of quoted texts, keeping positions. */
function withoutTexts(code: string): string {
  return code.replaceAll(
    /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g,
    (text) => " ".repeat(text.length),
  );
}

/** Blanks out comments and template literals, keeping line numbers. */
function withoutComments(source: string): string {
  const blank = (text: string) => text.replaceAll(/[^\n]/g, " ");
  return source.replaceAll(
    /\/\*[\s\S]*?\*\/|(?<=^|[\s;{}(),])\/\/[^\n]*|`(?:\\[\s\S]|[^`\\])*`/g,
    blank,
  );
}

function resolvePath(from: string, specifier: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

if (import.meta.main) {
  const { files, violations } = await checkImports(Deno.args[0] ?? ".");
  for (const { path, line, message } of violations) console.error(`${path}:${line}: ${message}`);
  console.log(`import check: ${files} files, ${violations.length} violations`);
  if (violations.length > 0) Deno.exit(1);
}
