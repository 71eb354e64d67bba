/** A column of a Markdown table. */
export interface Column {
  readonly name: string;
  readonly align?: "left" | "right";
}

/** Escapes a text for a table cell: pipes, line breaks and raw HTML would break the page. */
export function escapeCell(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("|", "\\|").replaceAll("<", "&lt;")
    .replaceAll(/\s*\n\s*/g, " ");
}

/**
 * A Markdown table with padded columns, so that the source reads as well as the page.
 *
 * @param columns Headings and alignment.
 * @param rows Texts, row by row; missing ones are empty.
 */
export function markdownTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string {
  const texts = [columns.map((column) => column.name), ...rows]
    .map((row) => columns.map((_, i) => escapeCell(row[i] ?? "")));
  const widths = columns.map((_, i) => Math.max(3, ...texts.map((row) => row[i].length)));
  const line = (row: readonly string[]) =>
    `| ${
      row.map((text, i) =>
        columns[i].align === "right" ? text.padStart(widths[i]) : text.padEnd(widths[i])
      ).join(" | ")
    } |`;
  const rule = columns.map((column, i) =>
    column.align === "right" ? "-".repeat(widths[i] - 1) + ":" : "-".repeat(widths[i])
  );
  return [line(texts[0]), `| ${rule.join(" | ")} |`, ...texts.slice(1).map(line)].join("\n");
}
