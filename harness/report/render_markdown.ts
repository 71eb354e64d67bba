import type { RunResult } from "../result_schema.ts";
import type { ReportSection, ReportTable } from "../schema/report.ts";
import { formatNumber } from "./format_value.ts";
import { markdownTable } from "./markdown_table.ts";
import {
  auditTable,
  comparisonTables,
  failureTable,
  memoryTable,
  metricTable,
  publishedTable,
  timingTable,
} from "./result_tables.ts";
import {
  calibrationTable,
  dataTable,
  environmentTable,
  methodText,
  runLine,
} from "./setting_tables.ts";

/**
 * The report of a run as Markdown: a pure function of the result, equal bytes for equal results.
 *
 * @param chartFolder Folder of the SVG files, relative to the report.
 */
export function renderMarkdown(result: RunResult, chartFolder: string): string {
  const { benchmark, report, system } = result;
  const blocks: string[] = [
    `# ${benchmark.title} on ${system.accelerator.description || system.systemName}`,
    ...report.headline.map((line) => `**${line}**`),
    `Question: ${benchmark.question}`,
    `Source: [${benchmark.source.title}](${benchmark.source.url}), ${benchmark.source.year}.` +
    (benchmark.source.note ? ` ${benchmark.source.note}` : ""),
    runLine(result),
  ];
  if (system.accelerator.class === "software") {
    blocks.push(
      "> Measured on a **software adapter** (the processor plays the GPU). Quality figures hold; " +
        "times say nothing about GPUs and are never ranked with theirs.",
    );
  }
  if (!result.complete) blocks.push("> **Incomplete**: some tasks of the plan were not run.");
  if (result.preset === "smoke") {
    blocks.push("> Preset `smoke` only proves that everything runs; its figures are no finding.");
  }
  for (const section of report.sections) blocks.push(...sectionBlocks(section, chartFolder));
  const standard: [string, string][] = [
    ["Comparisons", comparisonTables(result)],
    ["Published figures and ours", publishedTable(result)],
    ["Timings", timingTable(result)],
    ["Figures over seeds", metricTable(result)],
    ["GPU memory", memoryTable(result)],
    ["Audits", auditTable(result)],
    ["What failed or needs care", failureTable(result)],
    ["Data", dataTable(result)],
    ["Machine and software", environmentTable(result)],
    ["Measured roof of this machine", calibrationTable(result)],
    ["How it was measured", methodText(result)],
  ];
  for (const [heading, body] of standard) if (body !== "") blocks.push(`## ${heading}`, body);
  return blocks.join("\n\n") + "\n";
}

function sectionBlocks(section: ReportSection, chartFolder: string): string[] {
  return [
    `## ${section.heading}`,
    ...section.paragraphs,
    ...section.tables.flatMap(tableBlocks),
    ...section.charts.flatMap((chart) => [
      `![${chart.title.replaceAll(/[\[\]]/g, "")}](${chartFolder}/${chart.id}.svg)`,
      ...(chart.note ? [chart.note] : []),
    ]),
  ];
}

/** A table of a benchmark's report as Markdown, without its title. */
export function renderTable(table: ReportTable): string {
  const rows = table.rows.map((row) =>
    row.map((value) => typeof value === "string" ? value : formatNumber(value))
  );
  return markdownTable(table.columns, rows);
}

function tableBlocks(table: ReportTable): string[] {
  return [
    ...(table.title ? [`**${table.title}**`] : []),
    renderTable(table),
    ...(table.note ? [table.note] : []),
  ];
}
