/**
 * Builds the published pages: `_site/index.html` lists every report under `results/`, hardware and
 * software adapters apart, and the reports themselves are copied beside it.
 *
 *     deno run --allow-read=. --allow-write=_site tools/build_index.ts
 * @module
 */
import { joinPath } from "../harness/host.ts";
import { readResult } from "../harness/read_result.ts";
import type { RunResult } from "../harness/result_schema.ts";
import { sourceFiles } from "./source_files.ts";

/** A result file that is listed. */
export interface IndexEntry {
  /** Path below `results/`. */
  readonly path: string;
  readonly result: RunResult;
}

/** What {@link buildIndex} did. */
export interface BuiltIndex {
  readonly entries: number;
  /** Files that are not readable results, with the reason; they are listed as such. */
  readonly skipped: { readonly path: string; readonly reason: string }[];
}

/** Endings of the files that belong to a report. */
const COPIED = [".json", ".md", ".html", ".svg", ".csv", ".parquet"];

/**
 * Writes the site.
 *
 * @param root Project folder with `results/`.
 * @param output Folder to write to.
 */
export async function buildIndex(root: string, output: string): Promise<BuiltIndex> {
  const results = joinPath(root, "results");
  const files = await exists(results) ? await sourceFiles(results, COPIED) : [];
  const entries: IndexEntry[] = [];
  const skipped: { path: string; reason: string }[] = [];
  for (const path of files) {
    const bytes = await Deno.readFile(joinPath(results, path));
    const target = joinPath(output, "results", path);
    await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), { recursive: true });
    await Deno.writeFile(target, bytes);
    if (!path.endsWith(".json")) continue;
    const text = new TextDecoder().decode(bytes);
    if (!isRun(text)) continue; // machine.json and attachments
    try {
      entries.push({ path, result: await readResult(text, path) });
    } catch (error) {
      // One malformed file must not take the whole site down, nor vanish from it.
      skipped.push({ path, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  await Deno.mkdir(output, { recursive: true });
  const html = indexPage(entries, skipped, new Set(files));
  await Deno.writeTextFile(joinPath(output, "index.html"), html);
  return { entries: entries.length, skipped };
}

function isRun(text: string): boolean {
  // A damaged run must be listed as damaged, so anything that is not clearly another kind counts.
  try {
    const content = JSON.parse(text);
    return typeof content === "object" && content !== null && "schemaVersion" in content &&
      (content as { kind?: unknown }).kind === "attention-bench/run";
  } catch {
    return true;
  }
}

/** The page as text. */
export function indexPage(
  entries: readonly IndexEntry[],
  skipped: BuiltIndex["skipped"] = [],
  files: ReadonlySet<string> = new Set(),
): string {
  const of = (kind: "hardware" | "software") =>
    entries.filter(({ result }) => result.system.accelerator.class === kind).sort(byBenchmark);
  const damaged = skipped.length === 0 ? "" : `<h2>Not readable</h2>
<ul>
${
    skipped.map(({ path, reason }) => `<li><code>${escape(path)}</code>: ${escape(reason)}</li>`)
      .join("\n")
  }
</ul>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Attention Bench results</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #222; background: #fff; }
table { border-collapse: collapse; width: 100%; display: block; overflow-x: auto; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ccc; vertical-align: top; }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818; } a { color: #8bf; } th, td { border-color: #444; } }
</style>
</head>
<body>
<h1>Attention Bench results</h1>
<p>Attention mechanisms trained and measured through WebGPU. Hardware and software adapters are
listed apart and never ranked together.</p>
${section("Hardware adapters", of("hardware"), files)}
${section("Software adapters", of("software"), files)}
${damaged}
</body>
</html>
`;
}

function section(title: string, entries: IndexEntry[], files: ReadonlySet<string>): string {
  if (entries.length === 0) return `<h2>${title}</h2>\n<p>No results yet.</p>`;
  const rows = entries.map(({ path, result }) => {
    const stem = path.replace(/\.json$/, "");
    const report = [".html", ".md"].map((ending) =>
      stem + ending
    ).find((file) => files.has(file)) ??
      path;
    const cells = [
      `<a href="results/${encodeURI(report)}">${escape(result.benchmark.title)}</a>`,
      escape(result.preset),
      escape(result.system.systemName),
      escape(result.endedAt.slice(0, 10)),
      result.complete ? "complete" : "incomplete",
      `<a href="results/${encodeURI(path)}">JSON</a>`,
      escape(result.report.headline.join(" ")),
    ];
    return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
  });
  const heads = ["Report", "Preset", "Machine", "Date", "State", "Data", "Finding"];
  return `<h2>${title}</h2>
<table>
<thead><tr>${heads.map((head) => `<th>${head}</th>`).join("")}</tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>`;
}

function byBenchmark(a: IndexEntry, b: IndexEntry): number {
  const key = ({ result }: IndexEntry) =>
    [result.benchmark.name, result.preset, result.system.machine, result.endedAt].join("\0");
  return key(a) < key(b) ? -1 : 1;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

if (import.meta.main) {
  const { entries, skipped } = await buildIndex(".", "_site");
  for (const { path, reason } of skipped) console.error(`${path}: ${reason}`);
  console.log(`site: ${entries} results, ${skipped.length} not readable`);
}
