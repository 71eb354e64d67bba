/**
 * Reports: Markdown with SVG charts, made from a result file alone.
 * @module
 */
export {
  formatBytes,
  formatDuration,
  formatNumber,
  formatParams,
  formatRate,
  formatShare,
  formatSpan,
} from "./format_value.ts";
export { type Column, markdownTable } from "./markdown_table.ts";
export { renderChart } from "./render_chart.ts";
export { renderMarkdown, renderTable } from "./render_markdown.ts";
export {
  regenerateReport,
  resultStem,
  writeReport,
  writeResult,
  type WrittenResult,
} from "./write_result.ts";
