import type { Cell, RunBody } from "../../harness/contract.ts";
import { mean } from "../../harness/statistics/mod.ts";
import {
  type Chart,
  interval,
  pairs,
  type Section,
  signed,
  spread,
  type Table,
} from "./report_format.ts";
import { metricOf, rowsOf, variantsOf } from "./rows.ts";

/** Perplexity and loss of the trained models, and their curves. */
export function quality({ cells, comparisons }: RunBody): Section {
  const rows = rowsOf(cells, "train");
  const variants = variantsOf(rows);
  const splits = ["validation", "test", "out_of_domain"];
  const table: Table = {
    title: "Quality, mean over seeds with 95 % interval",
    columns: [
      { name: "variant" },
      { name: "parameters", align: "right" },
      { name: "split" },
      { name: "loss (nats/token)", align: "right" },
      { name: "perplexity", align: "right" },
      { name: "bits per byte", align: "right" },
      { name: "seeds", align: "right" },
    ],
    rows: variants.flatMap((variant) => {
      const own = rows.filter((row) => row.variant === variant);
      return splits.filter((split) => own.some((row) => metricOf(row, "loss", split) !== undefined))
        .map((split) => [
          variant,
          own[0].implementation?.parameters ?? null,
          split,
          spread(own, "loss", split, 3),
          spread(own, "perplexity", split, 2),
          spread(own, "bits-per-byte", split, 3),
          own.length,
        ]);
    }),
    note:
      "The weights of the best validation are tested. Perplexity depends on the tokenizer, bits per byte does not.",
  };
  const differences: Table = {
    title: "Loss against GPT-2, paired by seed",
    columns: [{ name: "variant" }, { name: "split" }, {
      name: "difference (nats/token)",
      align: "right",
    }, { name: "verdict" }],
    rows: pairs(comparisons).filter((c) => c.metric.startsWith("loss")).map((c) => [
      c.candidate.variant,
      c.metric.slice(6, -1),
      `${signed(c.estimate)}${interval(c.interval, 3)}`,
      c.verdict,
    ]),
    note: "Equivalent means within 0.05 nats by two one-sided tests, a margin fixed beforehand.",
  };
  const curve = (name: string) =>
    variants.map((variant) => ({
      name: variant,
      points: meanCurve(rows.filter((row) => row.variant === variant), name),
    }));
  const chart = (id: string, name: string): Chart => ({
    id,
    title: `${name[0].toUpperCase()}${name.slice(1)}, mean over seeds`,
    mark: "line",
    x: { label: "step" },
    y: { label: "loss (nats/token)" },
    series: curve(name),
    note: "Band: lowest to highest seed.",
  });
  return {
    heading: "Quality",
    tables: [table, differences].filter((t) => t.rows.length > 0),
    charts: rows.length > 0
      ? [chart("training-loss", "training loss"), chart("validation-loss", "validation loss")]
      : [],
  };
}

function meanCurve(rows: readonly Cell[], name: string) {
  const curves = rows.flatMap((row) => row.curves.filter((c) => c.name === name));
  const byStep = new Map<number, number[]>();
  for (const { points } of curves) {
    for (const [x, y] of points) if (y !== null) byStep.set(x, [...byStep.get(x) ?? [], y]);
  }
  return [...byStep].map(([x, ys]) => ({
    x,
    y: mean(ys),
    low: Math.min(...ys),
    high: Math.max(...ys),
  }));
}
