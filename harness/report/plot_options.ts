/** Translates a chart of the result format into options of the plotting library. */
import type * as PlotModule from "@observablehq/plot";
import type { ReportChart } from "../schema/report.ts";
import {
  CHART_WIDTH,
  FONT,
  HEAT_COLOURS,
  INK,
  MUTED,
  PLOT_HEIGHT,
  SERIES_COLOURS,
  SERIES_SYMBOLS,
  textWidth,
} from "./chart_style.ts";
import { formatNumber } from "./format_value.ts";

type Plot = typeof PlotModule;
type Axis = ReportChart["x"];
interface Row {
  x: number | string;
  y: number | string;
  low: number | null;
  high: number | null;
  value: number | null;
  series: string;
}

/** Where at most this many different values lie on an axis, each gets its own tick. */
const MAX_OWN_TICKS = 8;
/** A log axis shows at least this many ticks where its range allows. */
const MIN_LOG_TICKS = 3;
/** Steps inside a decade, from coarse to fine. */
const LOG_STEPS = [
  [1],
  [1, 2, 5],
  [1, 1.5, 2, 3, 4, 5, 7],
  [1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9],
];

/** Options for the library, without title and legend. */
export function plotOptions(
  Plot: Plot,
  chart: ReportChart,
  document: object,
): PlotModule.PlotOptions {
  const rows: Row[] = chart.series.flatMap((series) =>
    series.points.map((point) => ({ ...point, series: series.name }))
  ).filter((row) => isDrawable(row.x, chart.x) && isDrawable(row.y, chart.y));
  const names = chart.series.map((series) => series.name);
  const yLabels = chart.y.scale === "category"
    ? distinct(rows.map((row) => String(row.y)))
    : ["0000000"];
  const common: PlotModule.PlotOptions = {
    document: document as never,
    width: CHART_WIDTH,
    height: PLOT_HEIGHT,
    marginLeft: Math.min(220, 24 + Math.max(...yLabels.map((text) => textWidth(text, 12)), 36)),
    marginBottom: 48,
    marginTop: 30,
    marginRight: 28,
    style: { fontFamily: FONT, fontSize: "12px", color: INK, background: "white" },
    color: { type: "categorical", domain: names, range: [...SERIES_COLOURS] },
    symbol: { domain: names, range: [...SERIES_SYMBOLS] as never },
  };
  if (chart.mark === "heatmap") return { ...common, ...heatmap(Plot, chart, rows) };
  const x = axisOptions(chart.x, rows.map((row) => row.x), "center");
  const y = axisOptions(
    chart.y,
    rows.flatMap((row) => [row.y, row.low ?? row.y, row.high ?? row.y]),
    "top",
  );
  const marks = chart.mark === "bar" ? bars(Plot, rows, names) : curves(Plot, chart, rows);
  return {
    ...common,
    ...(chart.mark === "bar"
      ? {
        x: { axis: null, domain: names },
        fx: {
          label: chart.x.label,
          labelAnchor: "center",
          domain: distinct(rows.map((row) => String(row.x))),
          padding: 0.2,
        },
        y: { ...y, grid: true },
      }
      : { x: { ...x, grid: true }, y: { ...y, grid: true } }),
    marks: [...marks, ...references(Plot, chart)],
  };
}

function isDrawable(value: number | string, axis: Axis): boolean {
  if (axis.scale === "category") return true;
  return typeof value === "number" && (axis.scale !== "log" || value > 0);
}

function axisOptions(
  axis: Axis,
  values: readonly (number | string)[],
  anchor: "center" | "top",
): PlotModule.ScaleOptions {
  const base = { label: axis.label, labelArrow: "none" as const, labelAnchor: anchor };
  if (axis.scale === "category") {
    return { ...base, type: "point", domain: distinct(values.map(String)) };
  }
  if (axis.scale === "linear") {
    return { ...base, type: "linear", nice: true, tickFormat: formatTick };
  }
  // The library's own log scale leaves out labels of ticks such as 8192; logarithms are taken here.
  const ticks = logTicks(distinct(values as number[]).sort((a, b) => a - b));
  return {
    ...base,
    type: "linear",
    transform: Math.log10,
    ticks: ticks.map(Math.log10),
    tickFormat: (exponent: number) => formatTick(10 ** exponent),
  } as PlotModule.ScaleOptions;
}

/** Ticks of a log axis: the values themselves where they are few, else 1-2-5 or whole decades. */
export function logTicks(ascending: readonly number[]): number[] {
  const positive = ascending.filter((value) => value > 0);
  if (positive.length === 0) return [];
  const [low, high] = [positive[0], positive[positive.length - 1]];
  const crowded = positive.some((value, i) => i > 0 && value / positive[i - 1] < 1.5);
  if (positive.length <= MAX_OWN_TICKS && !crowded) return positive;
  // A narrow range needs finer steps than a wide one before it shows a few ticks.
  const choices = LOG_STEPS.map((steps) => stepTicks(low, high, steps));
  return choices.find((ticks) => ticks.length >= MIN_LOG_TICKS) ?? [low, high];
}

/** Ticks step * 10^e inside a range. */
function stepTicks(low: number, high: number, steps: readonly number[]): number[] {
  const ticks: number[] = [];
  for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++) {
    for (const step of steps) ticks.push(step * 10 ** e);
  }
  return ticks.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
}

/** Short tick labels: `1024`, `50k`, `2M`, `0.02`, `1e-7`. */
export function formatTick(tick: number): string {
  // 10 ** log10(x) is not quite x.
  const value = Number(tick.toPrecision(12));
  const size = Math.abs(value);
  if (size >= 1e9) return String(Number(value.toPrecision(4)).toExponential());
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(4))}M`;
  if (size >= 1e4 && value % 1000 === 0) return `${value / 1000}k`;
  if (Number.isInteger(value)) return String(value);
  return size < 1e-3
    ? Number(value.toPrecision(4)).toExponential()
    : String(Number(value.toPrecision(4)));
}

function curves(Plot: Plot, chart: ReportChart, rows: Row[]): PlotModule.Markish[] {
  const few = chart.mark === "dot" || rows.length <= 40 * chart.series.length;
  const count = chart.series.length;
  return chart.series.flatMap(({ name }, i) => {
    const mine = rows.filter((row) => row.series === name);
    const banded = mine.filter((row) => row.low !== null && row.high !== null);
    // Over categories, series would hide each other; they stand side by side instead.
    const dx = chart.x.scale === "category" ? (i - (count - 1) / 2) * 12 : 0;
    const marks: PlotModule.Markish[] = [];
    const span = { x: "x", y1: "low", y2: "high", dx };
    if (chart.mark === "line") {
      marks.push(
        Plot.areaY(banded, { ...span, fill: "series", fillOpacity: 0.18 }),
        Plot.line(mine, { x: "x", y: "y", dx, stroke: "series", strokeWidth: 2 }),
      );
    } else {
      marks.push(Plot.ruleX(banded, { ...span, stroke: "series", strokeWidth: 2 }));
    }
    if (few) {
      const dot = { x: "x", y: "y", dx, fill: "series", symbol: "series" as const };
      marks.push(Plot.dot(mine, { ...dot, r: 4, stroke: "white" }));
    }
    return marks;
  });
}

function bars(Plot: Plot, rows: Row[], names: string[]): PlotModule.Markish[] {
  const fx = (row: Row) => String(row.x);
  const banded = rows.filter((row) => row.low !== null && row.high !== null);
  const labels = rows.length <= 16
    ? [Plot.text(rows, {
      fx,
      x: "series",
      y: (row: Row) => Math.max(Number(row.y), row.high ?? -Infinity),
      text: (row: Row) => formatNumber(Number(row.y), 3),
      dy: -8,
      fill: INK,
    })]
    : [];
  return [
    Plot.barY(rows, { fx, x: "series", y: "y", fill: "series", insetLeft: 1, insetRight: 1 }),
    Plot.ruleX(banded, { fx, x: "series", y1: "low", y2: "high", stroke: INK, strokeWidth: 1.5 }),
    Plot.ruleY([0], { stroke: MUTED }),
    ...labels,
  ].slice(0, names.length === 0 ? 0 : undefined);
}

function heatmap(Plot: Plot, chart: ReportChart, rows: Row[]): PlotModule.PlotOptions {
  const xs = distinct(rows.map((row) => String(row.x)));
  const ys = distinct(rows.map((row) => String(row.y)));
  const [low, high] = heatDomain(rows.map((row) => row.value));
  const cellWidth = (CHART_WIDTH - 120) / Math.max(1, xs.length);
  const every = Math.max(1, Math.ceil(Math.max(...xs.map((x) => textWidth(x, 12))) / cellWidth));
  return {
    height: Math.min(640, 90 + Math.max(8, ys.length) * 24),
    x: {
      type: "band",
      domain: xs,
      label: chart.x.label,
      labelArrow: "none",
      ticks: xs.filter((_, i) => i % every === 0),
    },
    y: { type: "band", domain: ys, label: chart.y.label, labelArrow: "none" },
    color: { type: "linear", domain: stops(low, high), range: [...HEAT_COLOURS], clamp: true },
    marks: [
      Plot.cell(rows.filter((row) => row.value !== null), {
        x: (row: Row) => String(row.x),
        y: (row: Row) => String(row.y),
        fill: "value",
        inset: xs.length > 60 ? 0 : 0.5,
      }),
    ],
  };
}

/** Lowest and highest colour value; never equal. */
export function heatDomain(values: readonly (number | null)[]): [number, number] {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return [0, 1];
  let [low, high] = [Infinity, -Infinity];
  for (const value of known) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return low === high ? [low, low + 1] : [low, high];
}

function stops(low: number, high: number): number[] {
  const last = HEAT_COLOURS.length - 1;
  return HEAT_COLOURS.map((_, i) => low + (high - low) * i / last);
}

function references(Plot: Plot, chart: ReportChart): PlotModule.Markish[] {
  return chart.references.flatMap(({ axis, value, label }) => {
    const line = { stroke: MUTED, strokeDasharray: "5 4" };
    const text = { text: [label], fill: MUTED, stroke: "white", strokeWidth: 4 };
    return axis === "y"
      ? [
        Plot.ruleY([value], line),
        Plot.text([value], {
          ...text,
          y: [value],
          frameAnchor: "right",
          textAnchor: "end",
          dy: -8,
        }),
      ]
      : [
        Plot.ruleX([value], line),
        Plot.text([value], { ...text, x: [value], frameAnchor: "top", textAnchor: "start", dx: 6 }),
      ];
  });
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
