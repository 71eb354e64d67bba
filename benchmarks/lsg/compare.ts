import type { Cell, Comparison } from "../../harness/contract.ts";
import { pairTimings } from "../../harness/pair_timings.ts";
import { comparePairs, type PairInput } from "../../harness/statistics/mod.ts";
import { correctByDocument, distinct, partOf, where } from "../encoder_training/rows.ts";
import { timingOf } from "../leap/rows.ts";
import type { LsgConfig } from "./config.ts";
import { growth } from "./growth.ts";
import { lengthOf, rowsByLength } from "./rows.ts";
import { SCALING_PHASE } from "./scaling.ts";

/** Accuracy difference that counts as none; declared before any run. */
export const ACCURACY_MARGIN = 0.02;

/** Everything derived from the rows; all paired comparisons are corrected together (Holm). */
export function compareLsg(cells: readonly Cell[], config: LsgConfig): Comparison[] {
  return [
    ...comparePairs([
      ...stepPairs(cells),
      ...scalingPairs(cells),
      ...qualityPairs(cells),
      ...extrapolationPairs(cells),
    ]),
    ...growth(cells, config),
  ];
}

/** Time of a training step against full attention, paired by block. */
function stepPairs(cells: readonly Cell[]): PairInput[] {
  const rows = partOf(cells, "step");
  return distinct(rows.map((row) => row.params.attentionDropout)).flatMap((attentionDropout) => {
    const own = where(rows, { attentionDropout });
    return timePairs(own, "step", (variant) => `step-${variant}-${attentionDropout}`);
  });
}

/** Time of attention alone and of a whole encoder against full attention at every length, paired by block. */
function scalingPairs(cells: readonly Cell[]): PairInput[] {
  return ["attention", "encoder"].flatMap((part) => {
    const rows = rowsByLength(cells, `scaling-${part}`);
    return distinct(rows.map(lengthOf)).flatMap((T) =>
      timePairs(where(rows, { T }), SCALING_PHASE, (variant) => `${part}-${variant}-${T}`)
    );
  });
}

function timePairs(
  rows: readonly Cell[],
  phase: string,
  id: (variant: string) => string,
): PairInput[] {
  const base = rows.find((row) => row.variant === "full");
  const baseline = base && timingOf(base, phase);
  if (!base || !baseline) return [];
  return rows.filter((row) => row !== base).flatMap((row): PairInput[] => {
    const timing = timingOf(row, phase);
    if (!timing) return [];
    const [baselineValues, candidateValues] = pairTimings(baseline, timing);
    return [{
      ...{ id: id(row.variant), metric: phase, baselineValues, candidateValues },
      baseline: { variant: "full", params: base.params },
      candidate: { variant: row.variant, params: row.params },
      ...{ scale: "ratio", better: "lower" },
    }];
  });
}

/** Accuracy of every variant less that of full attention, and of what happens without training, paired by test document. */
function qualityPairs(cells: readonly Cell[]): PairInput[] {
  const rows = partOf(cells, "quality");
  return distinct(rows.map((row) => String(row.params.task))).flatMap((task) =>
    distinct(rows.map((row) => String(row.params.stage))).flatMap((stage) => {
      const own = where(rows, { task, stage });
      const variants = distinct(own.map((row) => row.variant)).filter((v) => v !== "full");
      return variants.flatMap((variant) =>
        documentPair(`quality-${stage}-${task}-${variant}`, `accuracy (${task}, ${stage})`, {
          base: { name: "full", rows: where(own, {}, "full") },
          other: { name: variant, rows: where(own, {}, variant) },
          params: { task, stage },
        })
      );
    })
  );
}

/** Long documents read whole against the same cut to the source's length. */
function extrapolationPairs(cells: readonly Cell[]): PairInput[] {
  const rows = partOf(cells, "extrapolation");
  const at = (stage: string) => ({ name: stage, rows: where(rows, { stage }) });
  const pairs = [
    ["truncated", "tiled-full"],
    ["truncated", "zero-shot"],
    ["truncated", "adapted"],
    ["zero-shot", "adapted"],
  ];
  return pairs.flatMap(([base, other]) =>
    documentPair(`extrapolation-${other}-${base}`, "accuracy (long documents)", {
      base: at(base),
      other: at(other),
      params: {},
    })
  );
}

function documentPair(
  id: string,
  metric: string,
  { base, other, params }: {
    base: { name: string; rows: readonly Cell[] };
    other: { name: string; rows: readonly Cell[] };
    params: Cell["params"];
  },
): PairInput[] {
  const [a, b] = [correctByDocument(base.rows), correctByDocument(other.rows)];
  if (!a || !b || a.length !== b.length) return [];
  return [{
    ...{ id, metric, baselineValues: a, candidateValues: b, margin: ACCURACY_MARGIN },
    baseline: { variant: base.name, params },
    candidate: { variant: other.name, params },
    ...{ scale: "difference", better: "higher" },
  }];
}
