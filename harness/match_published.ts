import { groupMetrics, type MetricGroup } from "./group_metrics.ts";
import type { RunBody } from "./result_schema.ts";

/** A figure of the source beside ours. */
export interface PublishedMatch {
  readonly figure: RunBody["published"][number];
  readonly ours: MetricGroup | null;
  /** ours / theirs; null where there is nothing to divide. */
  readonly ratio: number | null;
  /** False where sizes or data are not the source's: then the ratio says little. */
  readonly comparable: boolean;
  readonly why: string;
}

/** Finds our figure for each published one: same variant, metric, unit, split and named params. */
export function matchPublished(result: RunBody): PublishedMatch[] {
  const groups = groupMetrics(result.cells);
  const standIns = result.data.filter((record) => record.standIn).map((record) => record.id);
  return result.published.map((figure) => {
    const ours = groups.find((group) =>
      group.variant === figure.variant && group.metric === figure.metric &&
      group.unit === figure.unit && (figure.split === null || group.split === figure.split) &&
      Object.entries(figure.params).every(([name, value]) =>
        group.params[name] === value
      )
    ) ?? null;
    const why = [
      ours === null ? "not measured in this run" : "",
      result.preset === figure.preset ? "" : `preset ${result.preset}, not ${figure.preset}`,
      standIns.length === 0 ? "" : `data stand-in: ${[...new Set(standIns)].join(", ")}`,
    ].filter((part) => part !== "").join("; ");
    return {
      figure,
      ours,
      ratio: ours === null || figure.value === 0 ? null : ours.estimate / figure.value,
      comparable: why === "",
      why,
    };
  });
}
