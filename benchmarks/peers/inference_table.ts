import type { ReportInput } from "../../harness/contract.ts";
import { medianMs, type PeerRow } from "./summarize_rows.ts";

type Table = NonNullable<ReportInput["sections"][number]["tables"]>[number];

/** First-token time and decoding speed of every library by wall clock; no table where no model was run. */
export function inferenceTables(rows: readonly PeerRow[]): Table[] {
  const inference = rows.filter((row) => row.operation === "gpt2-inference");
  const cells = inference.flatMap((row) => [row.ours, ...row.peers])
    .filter((cell) => cell?.status === "ok");
  if (cells.length === 0) return [];
  const models = [...new Set(cells.map((cell) => modelOf(cell!.task)))];
  const libraries = [...new Set(cells.map((cell) => cell!.variant))];
  return [{
    title: "First-token time and tokens per second (wall)",
    columns: [
      { name: "model" },
      { name: "library" },
      { name: "first token (ms)", align: "right" },
      { name: "tokens/s", align: "right" },
    ],
    rows: models.flatMap((model) =>
      libraries.map((library) => {
        const find = (phase: string) =>
          cells.find((cell) => cell!.variant === library && cell!.task === `${model}/${phase}`);
        const decode = find("decode");
        const ms = medianMs(decode, "wall-time");
        const tokens = Number(decode?.params.length);
        return [
          model,
          library,
          round(medianMs(find("first-token"), "wall-time")),
          ms === null ? null : round(tokens / ms * 1000),
        ];
      })
    ),
  }];
}

/** Name of a case without its phase. */
function modelOf(task: string): string {
  return task.slice(0, task.lastIndexOf("/"));
}

function round(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(3));
}
