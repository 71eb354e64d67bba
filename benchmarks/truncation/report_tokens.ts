import type { RunBody } from "../../harness/contract.ts";
import { percent, type Section } from "./report_format.ts";
import { distinct, partOf, summary, where } from "../encoder_training/rows.ts";

/** Which tokens attention keeps, how far that agrees with tf-idf, and two documents before and after. */
export function reportTokens(result: RunBody): Section {
  const rows = partOf(result.cells, "tokens");
  if (rows.length === 0) return { heading: "Tokens" };
  const tasks = distinct(rows.map((row) => String(row.params.task)));
  const value = (task: string, metric: string) =>
    summary(where(rows, { task }), metric)?.mean ?? NaN;
  return {
    heading: "Tokens kept and dropped",
    paragraphs: [
      ...tasks.flatMap((task) => {
        const notes = where(rows, { task, seed: 0 }).flatMap((row) => row.notes);
        return notes.map((note) => `${task}, ${note.replaceAll(/[*_`<>|\\]/g, "\\$&")}`);
      }),
      ...examples(result),
    ],
    tables: [{
      title: "The dictionary",
      columns: [
        { name: "task" },
        { name: "vocabulary with a score", align: "right" },
        { name: "rank correlation with idf", align: "right" },
        { name: "kept tokens shared with tf-idf (IoU)", align: "right" },
        { name: "documents left out as too long", align: "right" },
      ],
      rows: tasks.map((task) => [
        task,
        percent(value(task, "coverage")),
        value(task, "idf-agreement").toFixed(3),
        value(task, "kept-overlap").toFixed(3),
        value(task, "too-long"),
      ]),
      note: "The source reports that about 80 % of its vocabulary gets a score.",
    }],
  };
}

function examples({ cells }: RunBody): string[] {
  const rows = partOf(cells, "example");
  const keys = distinct(rows.map((row) => `${row.params.task}|${row.params.example}`));
  return keys.flatMap((key) => {
    const [task, example] = key.split("|");
    const own = where(rows, { task, example: Number(example) });
    return own.map((row) =>
      `Document ${Number(example) + 1} of ${task}, kept by ${row.variant} in bold: ${row.notes[0]}`
    );
  });
}
