import type { Cell, Comparison, ReportInput, RunBody } from "../../harness/contract.ts";
import { mean, meanInterval } from "../../harness/statistics/mod.ts";
import { PHASES } from "./compare.ts";
import { medianNs, metricOf, numberOf, rowsOf, timingOf, variantsOf } from "./rows.ts";

type Section = ReportInput["sections"][number];
type Chart = NonNullable<Section["charts"]>[number];
type Table = NonNullable<Section["tables"]>[number];
type Pair = Extract<Comparison, { kind: "pair" }>;
type Fit = Extract<Comparison, { kind: "fit" }>;

/** The leap benchmark's part of the report. */
export function reportLeap(result: RunBody): ReportInput {
  const { cells } = result;
  const sections = [
    quality(result),
    speed(result),
    decoding(result),
    explainability(result),
    numerics(cells),
    scaling(result),
  ];
  return {
    headline: headline(result),
    sections: sections.filter((s) => (s.tables?.length ?? 0) + (s.charts?.length ?? 0) > 0),
  };
}

function headline({ cells, comparisons }: RunBody): string[] {
  const lines: string[] = [];
  const losses = pairs(comparisons).filter((c) => c.metric === "loss (test)");
  if (losses.length > 0) {
    lines.push(
      `Test loss against GPT-2 at equal data, batch order and parameters (within ${
        parameterSpread(cells).toFixed(1)
      } %): ` +
        losses.map((c) =>
          `${c.candidate.variant} ${signed(c.estimate)} nats/token (${c.verdict}, ${c.n} ${
            c.n === 1 ? "seed" : "seeds"
          })`
        ).join("; ") + ".",
    );
  }
  const longest = Math.max(...rowsOf(cells, "speed").map((row) => numberOf(row, "T")));
  const ratios = pairs(comparisons).filter((c) =>
    c.metric === "forward+backward" && c.candidate.params.T === longest &&
    c.baseline.variant === "gpt2-fused" && c.estimate !== null
  );
  if (ratios.length > 0) {
    lines.push(
      `At T = ${longest}, forward + backward takes ` +
        ratios.map((c) => `${c.candidate.variant} ${c.estimate!.toFixed(2)}`).join(" and ") +
        " of the time of GPT-2 with a fused attention kernel.",
    );
  }
  const growth = fits(comparisons).filter((c) =>
    c.metric === "forward+backward" && c.exponent !== null
  );
  if (growth.length > 0) {
    lines.push(
      `Step time grows as T to the power ${
        growth.map((c) => `${c.exponent!.toFixed(2)} (${c.variant})`).join(", ")
      }.`,
    );
  }
  return lines.length > 0 ? lines : ["No rows that could be compared were recorded."];
}

/** Largest difference of the trained models' parameter counts from GPT-2's, in percent. */
function parameterSpread(cells: readonly Cell[]): number {
  const counts = rowsOf(cells, "train").map((row) => row.implementation?.parameters ?? NaN);
  const baseline = rowsOf(cells, "train").find((row) => row.variant === "gpt2")?.implementation
    ?.parameters ?? NaN;
  return Math.max(...counts.map((count) => 100 * Math.abs(count / baseline - 1)));
}

function quality({ cells, comparisons }: RunBody): Section {
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

function speed({ cells, comparisons }: RunBody): Section {
  const rows = rowsOf(cells, "speed");
  if (rows.length === 0) return { heading: "Step time and memory" };
  const lengths = [...new Set(rows.map((row) => numberOf(row, "T")))].sort((a, b) => a - b);
  const variants = variantsOf(rows);
  const failed = cells.filter((cell) => cell.task.startsWith("speed/") && cell.status !== "ok");
  const find = (variant: string, T: number) =>
    rows.find((row) => row.variant === variant && row.params.T === T);
  const table: Table = {
    title: "Median time and peak GPU bytes",
    columns: [
      { name: "T", align: "right" },
      { name: "variant" },
      ...PHASES.map((phase) => ({ name: `${phase} (ms)`, align: "right" as const })),
      { name: "peak (MiB)", align: "right" },
      { name: "time / gpt2-fused", align: "right" },
      { name: "time / gpt2-naive", align: "right" },
      { name: "n", align: "right" },
    ],
    rows: lengths.flatMap((T) =>
      variants.flatMap((variant) => {
        const row = find(variant, T);
        if (!row) return [];
        const ratio = (baseline: string) => {
          const pair = pairs(comparisons).find((c) =>
            c.id === `forward+backward-${variant}-${baseline}-${T}`
          );
          return pair?.estimate ? `${pair.estimate.toFixed(3)}${interval(pair.interval, 3)}` : null;
        };
        return [[
          T,
          variant,
          ...PHASES.map((phase) => milliseconds(row, phase)),
          row.memoryBytes ? (row.memoryBytes.peak / 2 ** 20).toFixed(1) : null,
          ratio("gpt2-fused"),
          ratio("gpt2-naive"),
          timingOf(row, "forward+backward")?.samplesNs.length ?? null,
        ]];
      })
    ),
    note: failed.map((cell) =>
      `${cell.variant} at T ${cell.params.T}: ${cell.reasons[0]?.message ?? cell.status}`
    ).join(" — "),
  };
  const growth: Table = {
    title: "Growth with T (log-log slope, 95 % interval)",
    columns: [{ name: "variant" }, { name: "of" }, { name: "exponent", align: "right" }, {
      name: "R²",
      align: "right",
    }, {
      name: "lengths",
      align: "right",
    }],
    rows: fits(comparisons).filter((c) => c.x === "T").map(fitRow),
    note: "1 is linear, 2 quadratic. Short lengths are dominated by the rest of the model.",
  };
  const time = (phase: string): Chart => ({
    id: `time-${phase.replace("+", "-")}`,
    title: `Time of ${phase} over T`,
    mark: "line",
    x: { label: "T (tokens)", scale: "log" },
    y: { label: "median time (ms)", scale: "log" },
    series: variants.map((variant) => ({
      name: variant,
      points: lengths.flatMap((T) => {
        const stats = find(variant, T) && timingOf(find(variant, T)!, phase)?.stats;
        if (!stats) return [];
        return [{
          x: T,
          y: stats.medianNs / 1e6,
          low: stats.interval ? stats.interval.low / 1e6 : null,
          high: stats.interval ? stats.interval.high / 1e6 : null,
        }];
      }),
    })),
  });
  const memory: Chart = {
    id: "peak-memory",
    title: "Peak GPU memory of forward + backward over T",
    mark: "line",
    x: { label: "T (tokens)", scale: "log" },
    y: { label: "peak (MiB)", scale: "log" },
    series: variants.map((variant) => ({
      name: variant,
      points: lengths.flatMap((T) => {
        const peak = find(variant, T)?.memoryBytes?.peak;
        return peak ? [{ x: T, y: peak / 2 ** 20 }] : [];
      }),
    })),
  };
  return {
    heading: "Step time and memory",
    paragraphs: [
      "Both baselines compute the same function: gpt2-naive materialises the T x T scores as the source's baseline did, gpt2-fused does not. " +
      "Peak bytes are exact: weights, gradients and activations of one forward + backward pass, without optimizer state.",
    ],
    tables: [table, growth],
    charts: [...PHASES.map(time), memory],
  };
}

function decoding({ cells, comparisons }: RunBody): Section {
  const rows = rowsOf(cells, "decode");
  if (rows.length === 0) return { heading: "Decoding" };
  const point = (row: Cell) => ({
    x: numberOf(row, "context"),
    y: metricOf(row, "tokens-per-second") ?? 0,
  });
  return {
    heading: "Decoding",
    tables: [{
      title: "Tokens per second and state, one sequence",
      columns: [{ name: "context", align: "right" }, { name: "variant" }, {
        name: "tokens/s",
        align: "right",
      }, {
        name: "ms per token",
        align: "right",
      }, { name: "state (KiB)", align: "right" }],
      rows: rows.map((row) => [
        numberOf(row, "context"),
        row.variant,
        metricOf(row, "tokens-per-second")?.toFixed(1) ?? null,
        milliseconds(row, "decode"),
        ((row.implementation?.stateBytes ?? 0) / 1024).toFixed(1),
      ]),
    }, {
      title: "Growth of the time per token with the context",
      columns: [{ name: "variant" }, { name: "of" }, { name: "exponent", align: "right" }, {
        name: "R²",
        align: "right",
      }, {
        name: "contexts",
        align: "right",
      }],
      rows: fits(comparisons).filter((c) => c.x === "context").map(fitRow),
    }],
    charts: [{
      id: "decoding",
      title: "Decoding speed over context",
      mark: "line",
      x: { label: "context (tokens)", scale: "log" },
      y: { label: "tokens/s", scale: "log" },
      series: variantsOf(rows).map((variant) => ({
        name: variant,
        points: rows.filter((r) => r.variant === variant).map(point),
      })),
    }],
  };
}

function explainability({ cells }: RunBody): Section {
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

function numerics(cells: readonly Cell[]): Section {
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

function scaling({ cells, comparisons }: RunBody): Section {
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

function pairs(comparisons: readonly Comparison[]): Pair[] {
  return comparisons.filter((c) => c.kind === "pair");
}

function fits(comparisons: readonly Comparison[]): Fit[] {
  return comparisons.filter((c) => c.kind === "fit");
}

function fitRow(c: Fit): (string | number | null)[] {
  return [
    c.variant,
    c.metric,
    c.exponent === null ? null : `${c.exponent.toFixed(3)}${interval(c.interval, 2)}`,
    c.rSquared === null ? null : c.rSquared.toFixed(3),
    c.n,
  ];
}

function milliseconds(row: Cell, phase: string): string | null {
  const ns = medianNs(row, phase);
  return ns === undefined ? null : (ns / 1e6).toPrecision(4);
}

function spread(
  rows: readonly Cell[],
  metric: string,
  split: string,
  digits: number,
): string | null {
  const values = rows.map((row) => metricOf(row, metric, split)).filter((v) => v !== undefined);
  if (values.length === 0) return null;
  return `${mean(values).toFixed(digits)}${interval(meanInterval(values), digits)}`;
}

function interval(value: { low: number; high: number } | null, digits: number): string {
  return value ? ` [${value.low.toFixed(digits)}, ${value.high.toFixed(digits)}]` : "";
}

function signed(value: number | null, digits = 3): string {
  return value === null || !Number.isFinite(value)
    ? "–"
    : `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;
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
