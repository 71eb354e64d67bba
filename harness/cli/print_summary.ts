import { renderTable } from "../report/mod.ts";
import type { RunResult } from "../result_schema.ts";

/** Headline and tables of a result as they stand in its report, for the end of a run in a terminal. */
export function summaryLines(result: RunResult): string[] {
  const { headline, sections } = result.report;
  return [
    "",
    ...headline,
    ...sections.flatMap(({ tables }) => tables).flatMap((
      table,
    ) => ["", table.title, renderTable(table)]),
    "",
  ];
}
