/**
 * Writes the tables of committed results into README.md, between `<!-- report:begin -->` and
 * `<!-- report:end -->`. Every figure there comes from a result file, none is typed by hand.
 *
 *     deno run --allow-read=. --allow-write=. tools/readme_tables.ts                # the same files again
 *     deno run --allow-read=. --allow-write=. tools/readme_tables.ts results/m/a.json  # these files
 *     deno run --allow-read=. tools/readme_tables.ts --check                        # is it current?
 *
 * Without files, those that the block links are used; where it links none, the newest complete run
 * of each benchmark, hardware before software and larger presets before smaller ones.
 * @module
 */
import { joinPath } from "../harness/host.ts";
import { readResult } from "../harness/read_result.ts";
import { formatNumber } from "../harness/report/format_value.ts";
import { markdownTable } from "../harness/report/markdown_table.ts";
import type { RunResult } from "../harness/result_schema.ts";
import { sourceFiles } from "./source_files.ts";

/** Line before the generated part. */
export const BEGIN = "<!-- report:begin -->";
/** Line after it. */
export const END = "<!-- report:end -->";
/** Sections of a report whose first table is shown; the rest is one click away. */
export const SECTIONS_SHOWN = 2;
/** Rows of a table shown at most. */
export const ROWS_SHOWN = 30;

/** What stands between the markers before the first result is committed. */
const NONE = "No report is committed yet; `deno task bench leap` writes one into `results/`.";

/** A result file of the project. */
export interface NamedResult {
  /** Path relative to the project folder, ending in `.json`. */
  readonly path: string;
  readonly result: RunResult;
}

/**
 * The generated part: for each result its headline, audits, and the first tables of its report.
 *
 * @param results In the order they are to be shown.
 */
export function renderTables(results: readonly NamedResult[]): string {
  const blocks = results.length === 0 ? [NONE] : results.flatMap(resultBlocks);
  // The formatter would wrap texts that come from result files, and the check compares bytes.
  return ["<!-- deno-fmt-ignore-start -->", ...blocks, "<!-- deno-fmt-ignore-end -->"].join("\n\n");
}

function resultBlocks({ path, result }: NamedResult): string[] {
  const { benchmark, environment, report, source, system } = result;
  const adapter = system.accelerator.description || system.systemName;
  const commit = source.commit ? `, commit ${source.commit.slice(0, 8)}` : "";
  const blocks = [
    `### ${benchmark.title}`,
    `Preset \`${result.preset}\` on ${adapter} (**${system.accelerator.class}** adapter), ` +
    `${
      result.endedAt.slice(0, 10)
    }, ${environment.runtime} ${environment.runtimeVersion}${commit}: ` +
    `[full report](${path.replace(/\.json$/, ".md")}), [JSON](${path}).`,
    ...caveats(result),
    report.headline.map((line) => `- ${line}`).join("\n"),
    standing(result),
  ];
  const sections = report.sections.filter((section) => section.tables.length > 0)
    .slice(0, SECTIONS_SHOWN);
  const titles = sections.map(({ tables }) => tables[0].title);
  for (const { heading, tables } of sections) {
    const [table] = tables;
    const isRepeated = titles.filter((title) => title === table.title).length > 1;
    const rows = table.rows.slice(0, ROWS_SHOWN).map((row) =>
      row.map((value) => typeof value === "string" ? value : formatNumber(value))
    );
    const left = table.rows.length - rows.length;
    blocks.push(
      `**${table.title || heading}${isRepeated && table.title ? ` (${heading})` : ""}**`,
      markdownTable(table.columns, rows),
      ...(table.note ? [table.note] : []),
      ...(left > 0 ? [`${left} more rows are in the full report.`] : []),
    );
  }
  return blocks.filter((block) => block !== "");
}

/** What a reader must know before the first figure. */
function caveats(result: RunResult): string[] {
  const lines: string[] = [];
  if (!result.complete) lines.push("> Incomplete: some tasks of the plan were not run.");
  if (result.preset === "smoke") {
    lines.push("> The smoke preset only proves that everything runs; its figures are no finding.");
  }
  if (result.system.accelerator.class === "software") {
    lines.push(
      "> A software adapter: the processor plays the GPU. Quality figures hold; times say nothing " +
        "about GPUs and are never ranked with theirs.",
    );
  }
  return lines;
}

/** Rows and audits in one line; audits that are not ok by name, so that none hides behind a count. */
function standing(result: RunResult): string {
  const audits = [...result.audits, ...result.cells.flatMap((cell) => cell.audits)];
  const bad = audits.filter(({ status }) => status !== "ok");
  const rows = Object.entries(Object.groupBy(result.cells, ({ status }) => status))
    .map(([status, cells]) => `${cells!.length} ${status}`).sort().join(", ");
  const named = bad.map(({ id, subject, status, detail }) =>
    `\n- ${id} of ${subject} is **${status}**: ${detail}`
  );
  return `Rows: ${rows || "none"}. Audits: ${audits.length - bad.length} of ${audits.length} ok.` +
    named.join("");
}

/** Paths of the result files that the generated part of a text links. */
export function linkedResults(readme: string): string[] {
  return [...part(readme).matchAll(/\]\((results\/[^)\s]+\.json)\)/g)].map((match) => match[1]);
}

/**
 * The text with another generated part.
 *
 * @throws {RangeError} If the markers are missing or in the wrong order.
 */
export function replaceTables(readme: string, tables: string): string {
  const [begin, end] = bounds(readme);
  return `${readme.slice(0, begin)}\n\n${tables}\n\n${readme.slice(end)}`;
}

function part(readme: string): string {
  const [begin, end] = bounds(readme);
  return readme.slice(begin, end);
}

function bounds(readme: string): [number, number] {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) {
    throw new RangeError(
      `Cannot find the generated part: expected the lines ${BEGIN} and ${END}, in this order`,
    );
  }
  return [begin + BEGIN.length, end];
}

const PRESETS = ["paper", "small", "smoke"];

/** One run for each benchmark: complete, hardware if there is any, the largest preset, the newest. */
export function chooseResults(results: readonly NamedResult[]): NamedResult[] {
  const rank = ({ result }: NamedResult) => [
    result.system.accelerator.class === "hardware" ? 0 : 1,
    PRESETS.indexOf(result.preset),
    -Date.parse(result.endedAt),
  ];
  const before = (a: NamedResult, b: NamedResult) => {
    const [left, right] = [rank(a), rank(b)];
    const at = left.findIndex((value, i) => value !== right[i]);
    return at >= 0 && left[at] < right[at];
  };
  const best = new Map<string, NamedResult>();
  for (const item of results) {
    const { complete, shard, preset, benchmark } = item.result;
    if (!complete || shard !== null || !PRESETS.includes(preset)) continue;
    const known = best.get(benchmark.name);
    if (!known || before(item, known)) best.set(benchmark.name, item);
  }
  return [...best.values()].sort((a, b) =>
    a.result.benchmark.name < b.result.benchmark.name ? -1 : 1
  );
}

async function readNamed(root: string, path: string): Promise<NamedResult> {
  const text = await Deno.readTextFile(joinPath(root, path));
  return { path, result: await readResult(text, path) };
}

/** Every run under `results/`; other JSON files (machines, schema, side files) are passed over. */
async function committedResults(root: string): Promise<NamedResult[]> {
  const found: NamedResult[] = [];
  for (const path of await sourceFiles(joinPath(root, "results"), [".json"])) {
    const text = await Deno.readTextFile(joinPath(root, "results", path));
    if (JSON.parse(text).kind !== "attention-bench/run") continue;
    found.push({ path: `results/${path}`, result: await readResult(text, path) });
  }
  return found;
}

/**
 * README.md as it is and as it should be.
 *
 * @param root Project folder.
 * @param paths Result files relative to it; none: see the head of this file.
 */
export async function currentReadme(
  root: string,
  paths: readonly string[] = [],
): Promise<{ actual: string; expected: string; shown: string[] }> {
  const actual = await Deno.readTextFile(joinPath(root, "README.md"));
  const named = paths.length > 0 ? paths : linkedResults(actual);
  const results = named.length > 0
    ? await Promise.all(named.map((path) => readNamed(root, path.replace(/^\.\//, ""))))
    : chooseResults(await committedResults(root));
  return {
    actual,
    expected: replaceTables(actual, renderTables(results)),
    shown: results.map(({ path }) => path),
  };
}

if (import.meta.main) {
  const check = Deno.args.includes("--check");
  const paths = Deno.args.filter((arg) => arg !== "--check");
  const { actual, expected, shown } = await currentReadme(".", paths);
  const isCurrent = actual === expected;
  if (check && !isCurrent) {
    console.error("README.md is not current; run tools/readme_tables.ts and commit what it writes");
  }
  if (!check && !isCurrent) {
    await Deno.writeTextFile("README.md.tmp", expected);
    await Deno.rename("README.md.tmp", "README.md");
  }
  const state = isCurrent ? "current" : check ? "stale" : "written";
  console.log(`readme tables: ${shown.join(", ") || "no committed result"}; ${state}`);
  if (check && !isCurrent) Deno.exit(1);
}
