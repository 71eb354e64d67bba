import type { Cell, RunBody } from "../../harness/contract.ts";
import { mean } from "../../harness/statistics/mod.ts";
import { type Chart, fitRow, fits, type Section, signed } from "./report_format.ts";
import { metricOf, numberOf, rowsOf, variantsOf } from "./rows.ts";

/** Token importance and whether it is faithful. */
export function explainability({ cells }: RunBody): Section {
  const rows = rowsOf(cells, "explain");
  const masked = rows.filter((row) => row.params.masked !== undefined);
  const examples = rows.filter((row) => row.params.example !== undefined);
  if (masked.length === 0) return { heading: "Explainability" };
  const groups = [
    ...new Map(masked.map((row) => [`${row.variant}/${row.params.fraction}`, row])).values(),
  ];
  const change = (group: Cell, which: string) =>
    masked.filter((row) =>
      row.variant === group.variant && row.params.fraction === group.params.fraction &&
      row.params.masked === which
    ).map((row) => metricOf(row, "loss-change", "test") ?? NaN);
  return {
    heading: "Explainability",
    paragraphs: [
      "Importance of a token: its share e_i / z of the weights of the block, summed over layers and heads. If the importances " +
      "are faithful, masking the top tokens raises the loss more than masking random ones, and masking the bottom ones less.",
      ...examples.flatMap((row) => row.notes.map((note) => `${row.variant}: ${note}`)),
    ],
    tables: [{
      title: "Change of test loss by masking tokens as keys (nats/token)",
      columns: [{ name: "variant" }, { name: "masked share", align: "right" }, {
        name: "top",
        align: "right",
      }, {
        name: "random (mean)",
        align: "right",
      }, { name: "bottom", align: "right" }],
      rows: groups.map((group) => [
        group.variant,
        `${numberOf(group, "fraction") * 100} %`,
        ...["top", "random", "bottom"].map((which) => signed(mean(change(group, which)), 4)),
      ]),
    }],
    charts: examples.map((row): Chart => ({
      id: `importance-${row.variant.replaceAll(/[^a-z0-9]+/g, "-")}`,
      title: `Share of the block's weights by token, ${row.variant}`,
      mark: "heatmap",
      x: { label: "token", scale: "category" },
      y: { label: "", scale: "category" },
      series: [{
        name: "share",
        points: row.curves.flatMap(({ name, points }) =>
          points.map(([x, value]) => ({ x: String(x), y: name, value }))
        ),
      }],
    })),
  };
}

/** Error of both ways to a windowed sum. */
export function numerics(cells: readonly Cell[]): Section {
  const rows = rowsOf(cells, "numerics");
  if (rows.length === 0) return { heading: "Numerics" };
  const key = (row: Cell) => `${row.params.T}/${row.params.window}`;
  const points = [...new Set(rows.map(key))];
  const value = (point: string, variant: string) => {
    const row = rows.find((r) => key(r) === point && r.variant === variant);
    const error = row && metricOf(row, "relative-error");
    return error === undefined ? null : error.toExponential(1);
  };
  return {
    heading: "Numerics",
    paragraphs: [
      "Worst error of the focused values g in f32 against float64, relative to their RMS. The source takes a window as the difference of two running " +
      "sums, which cancel; the kernel shipped here never subtracts.",
    ],
    tables: [{
      title: "Relative error of g",
      columns: [{ name: "T", align: "right" }, { name: "window", align: "right" }, {
        name: "difference of sums",
        align: "right",
      }, {
        name: "cancellation-free",
        align: "right",
      }],
      rows: points.map((point) => {
        const [T, window] = point.split("/").map(Number);
        return [
          T,
          window === T ? "global" : window,
          value(point, "difference"),
          value(point, "segmented"),
        ];
      }),
    }],
  };
}

/** Scaling laws. */
export function scaling({ cells, comparisons }: RunBody): Section {
  const rows = rowsOf(cells, "scaling");
  if (rows.length === 0) return { heading: "Scaling" };
  const laws = fits(comparisons).filter((c) => c.metric === "loss");
  return {
    heading: "Scaling",
    tables: [{
      title: "Sizes trained on tokens in proportion to their parameters",
      columns: [
        { name: "variant" },
        { name: "width x layers" },
        { name: "parameters", align: "right" },
        { name: "tokens", align: "right" },
        { name: "training FLOPs", align: "right" },
        { name: "test loss", align: "right" },
      ],
      rows: rows.map((row) => [
        row.variant,
        `${row.params.width} x ${row.params.layers}`,
        row.implementation?.parameters ?? null,
        metricOf(row, "training-tokens") ?? null,
        row.cost?.flops?.toExponential(2) ?? null,
        metricOf(row, "loss", "test")?.toFixed(3) ?? null,
      ]),
    }, {
      title: "Fitted laws: loss = a x^exponent",
      columns: [{ name: "variant" }, { name: "x" }, { name: "exponent", align: "right" }, {
        name: "R²",
        align: "right",
      }, {
        name: "sizes",
        align: "right",
      }],
      rows: laws.map((c) => [c.variant, c.x, ...fitRow(c).slice(2)]),
      note: "One seed a size; the intervals are of the fit alone.",
    }],
    charts: [{
      id: "scaling",
      title: "Test loss over training compute",
      mark: "line",
      x: { label: "training FLOPs", scale: "log" },
      y: { label: "test loss (nats/token)", scale: "log" },
      series: variantsOf(rows).map((variant) => ({
        name: variant,
        points: rows.filter((row) => row.variant === variant).flatMap((row) => {
          const loss = metricOf(row, "loss", "test");
          return row.cost?.flops && loss ? [{ x: row.cost.flops, y: loss }] : [];
        }),
      })),
    }],
  };
}
