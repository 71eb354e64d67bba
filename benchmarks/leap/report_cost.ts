import type { Cell, RunBody } from "../../harness/contract.ts";
import { PHASES } from "./compare.ts";
import {
  type Chart,
  fitRow,
  fits,
  interval,
  milliseconds,
  pairs,
  type Section,
  type Table,
} from "./report_format.ts";
import { metricOf, numberOf, rowsOf, timingOf, variantsOf } from "./rows.ts";

/** Step time and memory over T against both baselines. */
export function speed({ cells, comparisons }: RunBody): Section {
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

/** Tokens per second over context. */
export function decoding({ cells, comparisons }: RunBody): Section {
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
