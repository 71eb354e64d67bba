import type { Cell, RunBody } from "../../harness/contract.ts";
import { partOf, where } from "../encoder_training/rows.ts";
import { interval, milliseconds, pairs, type Section, type Table } from "../leap/report_format.ts";
import { published } from "./published.ts";

/** Time and memory of a training step beside the source's table. */
export function stepSection({ cells, comparisons }: RunBody): Section {
  const rows = partOf(cells, "step");
  const heading = "A training step of a binary classifier";
  if (rows.length === 0) return { heading };
  const variants = [...new Set(rows.map((row) => row.variant))];
  const at = (variant: string, attentionDropout: boolean) =>
    where(rows, { attentionDropout }, variant)[0] as Cell | undefined;
  const theirs = (variant: string, metric: string, attentionDropout: boolean) =>
    published.find((figure) =>
      figure.variant === variant && figure.metric === metric && figure.params?.part === "step" &&
      figure.params.attentionDropout === attentionDropout
    )?.value ?? null;
  const peak = (row: Cell | undefined) =>
    row?.memoryBytes ? (row.memoryBytes.peak / 1e6).toFixed(1) : null;
  const ratio = (variant: string, dropout: boolean) => {
    const found = pairs(comparisons).find((c) => c.id === `step-${variant}-${dropout}`);
    return found?.estimate ? `${found.estimate.toFixed(2)}${interval(found.interval, 2)}` : null;
  };
  const { T, batchSize } = rows[0].params;
  const columns = (names: string[]) => [
    ...["variant", "cost is"].map((name) => ({ name })),
    ...names.map((name) => ({ name, align: "right" as const })),
  ];
  const table: Table = {
    title: `Batch ${batchSize} x ${T} tokens, AdamW, by dropout on attention probabilities`,
    columns: columns([
      ...["ms/step without", "with", "/ full without", "with"],
      ...["peak MB without", "with"],
      ...["published s/step", "published GB without", "with"],
    ]),
    rows: variants.map((variant) => {
      const [without, withDropout] = [at(variant, false), at(variant, true)];
      return [
        variant,
        (without ?? withDropout)!.implementation?.label ?? null,
        without ? milliseconds(without, "step") : null,
        withDropout ? milliseconds(withDropout, "step") : null,
        ratio(variant, false),
        ratio(variant, true),
        peak(without),
        peak(withDropout),
        theirs(variant, "step-time", true),
        theirs(variant, "peak-memory", false),
        theirs(variant, "peak-memory", true),
      ];
    }),
    note: notesOf(cells, "step"),
  };
  return {
    heading,
    paragraphs: [
      "The published columns are RoBERTa base with 4 x 4096 tokens on one RTX 8000: comparable under the paper preset only, and even there " +
      "the source states neither the sparsity factor nor the globals, nor whether its times are with dropout. Peaks hold weights, gradients, " +
      "moments and activations. Masks of attention dropout are recomputed and never stored, so that both peaks should be alike.",
    ],
    tables: [table],
  };
}

/** Rows of a part that are missing, and why; rows whose length makes them full attention. */
export function notesOf(cells: readonly Cell[], part: string): string {
  const own = cells.filter((cell) => cell.params.part === part);
  const lengths = (of: readonly Cell[]) =>
    [...new Set(of.map((cell) => cell.params.T))].filter((T) => T !== undefined).join(", ");
  const grouped = (of: readonly Cell[], text: (cell: Cell) => string) =>
    [...Map.groupBy(of, (cell) => `${cell.variant}: ${text(cell)}`)]
      .map(([line, members]) => `${line} (T ${lengths(members)})`);
  return [
    ...grouped(
      own.filter((cell) => cell.status !== "ok"),
      (cell) => cell.reasons[0]?.message ?? cell.status,
    ),
    ...grouped(
      own.filter((cell) => cell.status === "ok" && cell.notes.length > 0),
      () => "full attention, the text being no longer than two blocks",
    ),
  ].join("; ");
}
