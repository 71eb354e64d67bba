import type { Cell, Comparison, RunBody } from "../../harness/contract.ts";
import { distinct, where } from "../encoder_training/rows.ts";
import {
  type Chart,
  fitRow,
  fits,
  interval,
  milliseconds,
  pairs,
  type Section,
  type Table,
} from "../leap/report_format.ts";
import { medianNs } from "../leap/rows.ts";
import { PLOT_READINGS } from "./published.ts";
import { notesOf } from "./report_step.ts";
import { lengthOf, rowsByLength } from "./rows.ts";
import { SCALING_PHASE, type ScalingPart } from "./scaling.ts";

const right = (name: string) => ({ name, align: "right" as const });

/** Time and peak bytes over T, their growth, crossovers and what fits. */
export function scalingSection(result: RunBody, part: ScalingPart): Section {
  const rows = rowsByLength(result.cells, `scaling-${part}`);
  const heading = part === "attention" ? "Growth: attention alone" : "Growth: a whole encoder";
  if (rows.length === 0) return { heading };
  return {
    heading,
    paragraphs: part === "attention"
      ? [
        "Forward and backward of one attention on a packed projection. Peak bytes are exact: output, statistics, selection and gradients, " +
        "the input not counted. A form labelled dense-masked computes all T x T scores and hides some: its growth is no claim about the mechanism.",
      ]
      : [
        "Forward and backward of an encoder with a classification head. Peak bytes are those of the pass: activations and workspaces, without weights.",
      ],
    tables: [
      timeTable(result, part, rows),
      growthTable(result, part),
      reachTable(result, part, rows),
      ...(part === "attention" ? selectionTable(result) : [plotTable()]),
    ],
    charts: [
      chart(part, rows, "time", "median time (ms)", (row) => {
        const ns = medianNs(row, SCALING_PHASE);
        return ns === undefined ? undefined : ns / 1e6;
      }),
      chart(
        part,
        rows,
        "peak",
        "peak (MB)",
        (row) => row.memoryBytes ? row.memoryBytes.peak / 1e6 : undefined,
      ),
    ],
  };
}

function timeTable({ cells, comparisons }: RunBody, part: string, rows: readonly Cell[]): Table {
  const lengths = distinct(rows.map(lengthOf));
  const variants = distinct(rows.map((row) => row.variant));
  return {
    title: "Median time and peak bytes",
    columns: [
      right("T"),
      ...["variant", "cost is"].map((name) => ({ name })),
      ...["ms", "/ full", "peak MB", "n"].map(right),
    ],
    rows: lengths.flatMap((T) =>
      variants.flatMap((variant) => {
        const row = where(rows, { T }, variant)[0];
        if (!row) return [];
        const pair = pairs(comparisons).find((c) => c.id === `${part}-${variant}-${T}`);
        return [[
          T,
          variant,
          row.implementation?.label ?? null,
          milliseconds(row, SCALING_PHASE),
          pair?.estimate ? `${pair.estimate.toFixed(3)}${interval(pair.interval, 3)}` : null,
          row.memoryBytes ? (row.memoryBytes.peak / 1e6).toFixed(2) : null,
          row.timings[0]?.samplesNs.length ?? null,
        ]];
      })
    ),
    note: notesOf(cells, `scaling-${part}`),
  };
}

function growthTable({ comparisons }: RunBody, part: string): Table {
  const own = fits(comparisons).filter((c) => c.id.includes(`-${part}-`));
  return {
    title: "Growth with T (log-log slope, 95 % interval)",
    columns: [
      ...["variant", "of"].map((name) => ({ name })),
      ...["exponent", "R²", "lengths"].map(right),
    ],
    rows: own.map(fitRow),
    note:
      "1 is linear, 2 quadratic. LSG counts from the first length beyond two blocks on; shorter texts are attended in full.",
  };
}

/** Crossovers and the longest text in the budget. */
function reachTable(result: RunBody, part: string, rows: readonly Cell[]): Table {
  const derived = (id: string) =>
    result.comparisons.find((c): c is Extract<Comparison, { kind: "derived" }> =>
      c.kind === "derived" && c.id === id
    );
  const variants = distinct(rows.map((row) => row.variant));
  const budget = (result.config.scaling as { memoryBudgetMiB?: number } | null)?.memoryBudgetMiB;
  return {
    title: "From where it pays, and how far it reaches",
    columns: [
      ...["variant", "cost is"].map((name) => ({ name })),
      right("faster than full from T"),
      right(`longest T in ${budget ?? "?"} MiB`),
      { name: "computed from" },
    ],
    rows: variants.map((variant) => {
      const longest = derived(`longest-${part}-${variant}`);
      const crossover = derived(`crossover-${part}-${variant}`);
      return [
        variant,
        where(rows, {}, variant).at(-1)!.implementation?.label ?? null,
        variant === "full" ? null : crossover?.value ?? (crossover ? "nowhere measured" : null),
        longest?.value ?? null,
        longest?.detail ?? null,
      ];
    }),
    note:
      "Crossover: shortest measured T from which the median is below that of fused full attention at every longer one too.",
  };
}

function selectionTable({ cells, comparisons }: RunBody): Table[] {
  const rows = rowsByLength(cells, "selection");
  if (rows.length === 0) return [];
  const variants = distinct(rows.map((row) => row.variant));
  return [{
    title: "Choosing the sparse keys, as a share of the attention's time",
    columns: [right("T"), ...variants.map(right)],
    rows: distinct(rows.map(lengthOf)).map((T) => [
      T,
      ...variants.map((variant) => {
        const found = comparisons.find((c) => c.id === `selection-${variant}-${T}`);
        return found?.kind === "derived" && found.value !== null
          ? `${(100 * found.value).toFixed(1)} %`
          : null;
      }),
    ]),
    note:
      "Both timed in the same interleaved run: the choice (forward work) against the attention forward and backward.",
  }];
}

function plotTable(): Table {
  return {
    title: "Read off the source's benchmark.png (about 5 %; it states neither batch nor sizes)",
    columns: [{ name: "model" }, right("T"), right("GB"), right("s/step")],
    rows: PLOT_READINGS.flatMap(({ model, points }) =>
      points.map(([T, memory, seconds]) => [model, T, memory, seconds])
    ),
    note: "Only the growth compares with ours.",
  };
}

function chart(
  part: string,
  rows: readonly Cell[],
  what: string,
  label: string,
  y: (row: Cell) => number | undefined,
): Chart {
  return {
    id: `${what}-${part}`,
    title: `${what === "time" ? "Time" : "Peak bytes"} of forward + backward over T, ${part}`,
    mark: "line",
    x: { label: "T (tokens)", scale: "log" },
    y: { label, scale: "log" },
    series: distinct(rows.map((row) => row.variant)).map((name) => ({
      name,
      points: where(rows, {}, name).flatMap((row) => {
        const value = y(row);
        return value ? [{ x: lengthOf(row), y: value }] : [];
      }),
    })),
  };
}
