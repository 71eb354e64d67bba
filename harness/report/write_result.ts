import { formatJson } from "../canonical_json.ts";
import { type Host, joinPath } from "../host.ts";
import type { RunResult, System } from "../result_schema.ts";
import { readResult } from "../read_result.ts";
import { renderChart } from "./render_chart.ts";
import { renderMarkdown } from "./render_markdown.ts";

/** Where a result was written. */
export interface WrittenResult {
  readonly json: string;
  readonly markdown: string;
  /** Every file, in the order written. */
  readonly files: readonly string[];
}

/** File name of a result without extension: sorts by time, says what it is. */
export function resultStem(result: RunResult): string {
  const day = result.startedAt.replaceAll(/[-:]/g, "").replace(/\.\d+Z$/, "Z");
  const shard = result.shard ? `-shard-${result.shard.index}-of-${result.shard.count}` : "";
  const commit = result.source.commit ? `-${result.source.commit.slice(0, 8)}` : "";
  return `${day}-${result.benchmark.name}-${result.preset}${shard}${commit}`;
}

/**
 * Writes a result: side files, the machine's own file, the JSON, then what can be made again from it
 * (Markdown and charts). Every file is written atomically.
 *
 * @param runFolder Folder of the journal, from which side files are taken; none for a merged run.
 */
export async function writeResult(
  host: Host,
  result: RunResult,
  runFolder?: string,
): Promise<WrittenResult> {
  const folder = joinPath(host.resultsDir, result.system.machine);
  const stem = resultStem(result);
  const files: string[] = [];
  const put = async (path: string, contents: string | Uint8Array) => {
    await host.writeFileAtomic(path, contents);
    files.push(path);
  };
  for (const { name } of runFolder === undefined ? [] : sideFiles(result)) {
    const bytes = await host.readFile(joinPath(runFolder as string, "attachments", name));
    if (bytes) await put(joinPath(folder, stem, name), bytes);
  }
  await put(joinPath(folder, "machine.json"), formatJson(machineFile(result.system)));
  const json = joinPath(folder, `${stem}.json`);
  await put(json, formatJson(result));
  files.push(...await writeReport(host, result, folder, stem));
  return { json, markdown: joinPath(folder, `${stem}.md`), files };
}

/** Writes only the Markdown and its charts, e.g. again from a result file. */
export async function writeReport(
  host: Host,
  result: RunResult,
  folder: string,
  stem: string,
): Promise<string[]> {
  const files: string[] = [];
  const seen = new Set<string>();
  for (const chart of result.report.sections.flatMap((section) => section.charts)) {
    if (seen.has(chart.id)) {
      throw new TypeError(`Cannot write the report: two charts have the id ${chart.id}`);
    }
    seen.add(chart.id);
    const path = joinPath(folder, stem, `${chart.id}.svg`);
    await host.writeFileAtomic(path, await renderChart(chart));
    files.push(path);
  }
  const markdown = joinPath(folder, `${stem}.md`);
  await host.writeFileAtomic(markdown, renderMarkdown(result, stem));
  files.push(markdown);
  return files;
}

/** Reads a result file and writes its report beside it. */
export async function regenerateReport(host: Host, jsonPath: string): Promise<string[]> {
  const text = await host.readText(jsonPath);
  const result = await readResult(text ?? "", jsonPath);
  const slash = jsonPath.lastIndexOf("/");
  const folder = slash < 0 ? "" : jsonPath.slice(0, slash);
  return await writeReport(host, result, folder, jsonPath.slice(slash + 1).replace(/\.json$/, ""));
}

/** The machine as its latest run saw it. */
function machineFile(system: System): object {
  return { schemaVersion: 1, kind: "attention-bench/machine", ...system };
}

function sideFiles(result: RunResult): { name: string }[] {
  const all = [...result.attachments, ...result.cells.flatMap((cell) => cell.attachments)];
  return [...new Map(all.map((item) => [item.name, item])).values()];
}
