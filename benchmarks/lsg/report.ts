import type { ReportInput, RunBody } from "../../harness/contract.ts";
import { distinct, partOf, summary, where } from "../encoder_training/rows.ts";
import { fits, interval, pairs, type Section } from "../leap/report_format.ts";
import { percent, signed } from "../truncation/report_format.ts";
import { extrapolationSection, qualitySection } from "./report_quality.ts";
import { scalingSection } from "./report_scaling.ts";
import { stepSection } from "./report_step.ts";
import { TARGET_LENGTH, TARGET_VARIANT, targets } from "./targets.ts";

/** The lsg benchmark's part of the report. */
export function reportLsg(result: RunBody): ReportInput {
  const tasks = distinct(partOf(result.cells, "quality").map((row) => String(row.params.task)));
  const sections = [
    targetSection(result),
    stepSection(result),
    scalingSection(result, "attention"),
    scalingSection(result, "encoder"),
    ...tasks.map((task) => qualitySection(result, task)),
    extrapolationSection(result),
  ];
  return {
    headline: headline(result, tasks),
    sections: sections.filter((s) => (s.tables?.length ?? 0) + (s.charts?.length ?? 0) > 0),
  };
}

/** Accuracy over that of the most frequent class, or over none, from which a task counts as learnt at all. */
const LEARNT = 0.05;

function headline(result: RunBody, tasks: readonly string[]): string[] {
  const lines = [...costLines(result), ...qualityLines(result, tasks), ...longLines(result)];
  return lines.length > 0 ? lines : ["No rows that could be compared were recorded."];
}

/** Speed at the target's length, else at the longest that full attention was measured at. */
function costLines({ comparisons }: RunBody): string[] {
  const found = pairs(comparisons).filter((c) =>
    c.id.startsWith("attention-lsg") && !c.candidate.variant.endsWith("-naive") && c.estimate
  );
  const best = found.find((c) => c.id === `attention-${TARGET_VARIANT}-${TARGET_LENGTH}`) ??
    found.toSorted((a, b) => Number(b.candidate.params.T) - Number(a.candidate.params.T))[0];
  if (!best) return [];
  const { variant, params } = best.candidate;
  const growth = (what: string) =>
    fits(comparisons).find((c) => c.id === `growth-${what}-attention-${variant}`)?.exponent;
  const [time, peak] = [growth("time"), growth("peak")];
  return [
    `${variant} at T ${params.T}: forward and backward of the attention take ${
      best.estimate!.toFixed(2)
    }${interval(best.interval, 2)} of the time of our own fused full attention` +
    (time && peak
      ? `; time grows as T^${time.toFixed(2)} and peak bytes as T^${peak.toFixed(2)}.`
      : "."),
  ];
}

/** One sentence: every task with full attention, and the range of the LSG variants. */
function qualityLines(result: RunBody, tasks: readonly string[]): string[] {
  const parts = tasks.flatMap((task) => {
    const rows = where(partOf(result.cells, "quality"), { task, stage: "trained" });
    const of = (variant: string) => summary(where(rows, {}, variant), "accuracy")?.mean ?? NaN;
    const sparse = distinct(rows.map((row) => row.variant)).filter((v) => v.startsWith("lsg"));
    if (sparse.length === 0) return [];
    const prepared = where(partOf(result.cells, "prepare"), { task });
    const chance = summary(prepared, "majority-share")?.mean ?? 0;
    if (of("full") <= chance + LEARNT) {
      return [
        `${task} was not learnt at this size, by full attention neither (${percent(of("full"))}` +
        (chance > 0 ? `; the most frequent class: ${percent(chance)})` : ")"),
      ];
    }
    const ranked = sparse.toSorted((a, b) => of(b) - of(a)).map((v) => `${percent(of(v))} (${v})`);
    const worse = pairs(result.comparisons).filter((c) =>
      c.id.startsWith(`quality-trained-${task}-lsg`) && c.verdict === "worse"
    ).length;
    return [
      `${task} ${percent(of("full"))} with full attention, ${ranked[0]}` +
      (ranked.length > 1 ? ` to ${ranked.at(-1)}` : "") +
      ` with LSG, worse beyond chance for ${worse} of ${sparse.length} variants`,
    ];
  });
  return parts.length > 0 ? [`Accuracy: ${parts.join("; ")}.`] : [];
}

function longLines({ comparisons }: RunBody): string[] {
  const of = (stage: string) =>
    pairs(comparisons).find((c) => c.id === `extrapolation-${stage}-truncated`);
  const [zero, adapted] = [of("zero-shot"), of("adapted")];
  if (!zero || !adapted) return [];
  return [
    `Documents longer than trained, read whole by conversion: ${
      signed(zero.estimate)
    } against cutting them without training (${zero.verdict}), ${
      signed(adapted.estimate)
    } after training the global embeddings and the head alone (${adapted.verdict}).`,
  ];
}

function targetSection(result: RunBody): Section {
  const list = targets(result).filter(({ measured }) => measured !== null);
  return {
    heading: "Targets",
    tables: list.length === 0 ? [] : [{
      title: `${TARGET_VARIANT}, set before the kernels were written`,
      columns: [
        { name: "target" },
        { name: "wanted" },
        { name: "measured", align: "right" },
        { name: "state" },
      ],
      rows: list.map(({ text, wanted, measured, met }) => [
        ...[text, wanted, measured, met ? "met" : "red"],
      ]),
      note: "The targets are for software adapters on two cores; other hardware is held to none.",
    }],
  };
}
