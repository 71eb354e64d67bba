import type { Cell } from "../../harness/contract.ts";

/** Rows of a part that can be used, shortest text first. */
export function rowsByLength(cells: readonly Cell[], part: string): Cell[] {
  return cells.filter((cell) => cell.params.part === part && cell.status === "ok")
    .sort((a, b) => Number(a.params.T) - Number(b.params.T));
}

/** Length of a row's text. */
export function lengthOf(cell: Cell): number {
  return Number(cell.params.T);
}
