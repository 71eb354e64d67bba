/** The tables every report has, from the result alone. Each gives Markdown, or "" when empty. */
import { groupMetrics } from "../group_metrics.ts";
import { matchPublished } from "../match_published.ts";
import type { RunResult } from "../result_schema.ts";
import { rooflineShare, roofOfSession } from "../roofline.ts";
import type { Interval } from "../schema/_base.ts";
import type { Comparison } from "../schema/comparison.ts";
import {
  formatBytes,
  formatDuration,
  formatNumber,
  formatParams,
  formatShare,
} from "./format_value.ts";
import { type Column, markdownTable } from "./markdown_table.ts";

const right = (name: string): Column => ({ name, align: "right" });
const left = (name: string): Column => ({ name });

function span(interval: Interval | null, format: (value: number) => string): string {
  return interval === null ? "-" : `${format(interval.low)} to ${format(interval.high)}`;
}

/** Timed phases of usable rows, with the share of the measured roof. */
export function timingTable(result: RunResult): string {
  const rows = result.cells.filter((cell) => cell.status === "ok").flatMap((cell) =>
    cell.timings.flatMap((timing) => {
      const { stats } = timing;
      if (stats === null) return [];
      const cost = cell.cost && (cell.cost.phase === "" || cell.cost.phase === timing.phase)
        ? cell.cost
        : null;
      const roof = roofOfSession(result.calibration, timing.session);
      const share = cost && roof ? rooflineShare(cost, stats.medianNs, roof) : null;
      return [[
        cell.variant,
        formatParams(cell.params),
        cell.implementation ? `${cell.implementation.form}, ${cell.implementation.label}` : "-",
        timing.phase,
        formatDuration(stats.medianNs),
        span(stats.interval, formatDuration),
        formatDuration(stats.madNs, 3),
        `${stats.n}${timing.number > 1 ? ` x ${timing.number}` : ""}`,
        String(stats.outliers),
        share?.roof === undefined || share.roof === null
          ? "-"
          : `${formatShare(share.roof)} (${share.bound})`,
        timing.clock === "wall" ? "wall" : "GPU",
        timing.flags.join(", ") || "-",
      ]];
    })
  );
  if (rows.length === 0) return "";
  return markdownTable([
    left("variant"),
    left("point"),
    left("form"),
    left("phase"),
    right("median"),
    right("95 % interval"),
    right("MAD"),
    right("samples"),
    right("outliers"),
    right("share of roof"),
    left("clock"),
    left("flags"),
  ], rows);
}

/** Figures of quality and cost, over seeds. */
export function metricTable(result: RunResult): string {
  const rows = groupMetrics(result.cells).map((group) => [
    group.metric,
    group.split ?? "-",
    group.variant,
    formatParams(group.params),
    formatNumber(group.estimate),
    span(group.interval, formatNumber),
    String(group.values.length),
    group.unit,
    group.better === "neither" ? "-" : group.better,
  ]);
  if (rows.length === 0) return "";
  return markdownTable([
    left("metric"),
    left("split"),
    left("variant"),
    left("point"),
    right("mean"),
    right("95 % interval"),
    right("runs"),
    left("unit"),
    left("better"),
  ], rows);
}

/** Peak GPU memory of each row, by class. */
export function memoryTable(result: RunResult): string {
  const cells = result.cells.filter((cell) => cell.status === "ok" && cell.memoryBytes !== null);
  if (cells.length === 0) return "";
  const tags = [...new Set(cells.flatMap((cell) => Object.keys(cell.memoryBytes!.byTag)))].sort();
  return markdownTable(
    [left("variant"), left("point"), right("peak"), ...tags.map(right)],
    cells.map((cell) => [
      cell.variant,
      formatParams(cell.params),
      formatBytes(cell.memoryBytes!.peak),
      ...tags.map((tag) => formatBytes(cell.memoryBytes!.byTag[tag] ?? null)),
    ]),
  );
}

/** Comparisons, fits and derived figures. */
export function comparisonTables(result: RunResult): string {
  const of = <K extends Comparison["kind"]>(kind: K) =>
    result.comparisons.filter((item): item is Extract<Comparison, { kind: K }> =>
      item.kind === kind
    );
  const name = (side: { variant: string; params: Record<string, unknown> }) =>
    [side.variant, formatParams(side.params)].filter(Boolean).join(" at ");
  const pairs = of("pair").map((item) => [
    item.metric,
    name(item.candidate),
    name(item.baseline),
    item.scale === "ratio" ? "ratio" : "difference",
    formatNumber(item.estimate),
    span(item.interval, formatNumber),
    String(item.n),
    item.pAdjusted === null ? "-" : formatNumber(item.pAdjusted, 2),
    item.verdict,
  ]);
  const fits = of("fit").map((item) => [
    item.variant,
    `${item.metric} against ${item.x}`,
    formatNumber(item.exponent),
    span(item.interval, formatNumber),
    formatNumber(item.rSquared),
    String(item.n),
  ]);
  const derived = of("derived").map((item) => [
    item.name,
    `${formatNumber(item.value)} ${item.unit}`,
    span(item.interval, formatNumber),
    item.detail,
  ]);
  return [
    pairs.length > 0 && markdownTable([
      left("metric"),
      left("candidate"),
      left("baseline"),
      left("effect"),
      right("estimate"),
      right("95 % interval"),
      right("pairs"),
      right("p (Holm)"),
      left("verdict"),
    ], pairs),
    fits.length > 0 && markdownTable([
      left("variant"),
      left("law"),
      right("exponent"),
      right("95 % interval"),
      right("R squared"),
      right("points"),
    ], fits),
    derived.length > 0 && markdownTable([
      left("figure"),
      right("value"),
      right("95 % interval"),
      left("how"),
    ], derived),
  ].filter((part) => part !== false).join("\n\n");
}

/** The source's figures beside ours. */
export function publishedTable(result: RunResult): string {
  const rows = matchPublished(result).map(({ figure, ours, ratio, comparable, why }) => [
    figure.metric,
    [figure.variant, formatParams(figure.params)].filter(Boolean).join(" at "),
    `${formatNumber(figure.value)} ${figure.unit}`,
    ours === null ? "-" : formatNumber(ours.estimate),
    ours === null ? "-" : span(ours.interval, formatNumber),
    formatNumber(ratio, 3),
    comparable ? "yes" : `no: ${why}`,
    [figure.hardware, figure.note].filter(Boolean).join("; ") || "-",
  ]);
  if (rows.length === 0) return "";
  return markdownTable([
    left("metric"),
    left("variant"),
    right("published"),
    right("ours"),
    right("95 % interval"),
    right("ours / published"),
    left("comparable"),
    left("remarks"),
  ], rows);
}

/** Audits of the run and of its rows, with the evidence. */
export function auditTable(result: RunResult): string {
  const all = [
    ...result.audits,
    ...result.cells.flatMap((cell) =>
      cell.audits.map((audit) => ({
        ...audit,
        subject: [audit.subject || cell.variant, formatParams(cell.params)].filter(Boolean)
          .join(" at "),
      }))
    ),
  ];
  if (all.length === 0) return "";
  return markdownTable(
    [
      left("audit"),
      left("subject"),
      left("status"),
      right("compared"),
      right("worst"),
      right("bound"),
      right("planted faults caught"),
      left("detail"),
    ],
    all.map((audit) => [
      audit.id,
      audit.subject || "-",
      audit.status === "ok" ? "ok" : `**${audit.status}**`,
      String(audit.n),
      formatNumber(audit.statistic, 3),
      formatNumber(audit.threshold, 3),
      audit.canaries.join(" of "),
      audit.detail,
    ]),
  );
}

/** Everything that is not plainly fine. */
export function failureTable(result: RunResult): string {
  const say = (reasons: readonly { code: string; message: string }[]) =>
    reasons.map((reason) => `${reason.code}: ${reason.message}`).join("; ") || "-";
  const rows = [
    ...result.reasons.map((reason) => ["run", "-", "problem", say([reason])]),
    ...result.tasks.filter((task) => task.status !== "ok").map((task) => [
      `task ${task.task}`,
      "-",
      task.status,
      say(task.reasons),
    ]),
    ...result.cells.filter((cell) => cell.status !== "ok" || cell.reasons.length > 0).map((
      cell,
    ) => [
      cell.variant,
      formatParams(cell.params),
      cell.status,
      say(cell.reasons),
    ]),
  ];
  if (rows.length === 0) return "";
  return markdownTable([left("what"), left("point"), left("status"), left("why")], rows);
}
