import type { RunBody } from "../../harness/contract.ts";
import { percent, type Section } from "./report_format.ts";
import { distinct, metricOf, partOf, summary, where } from "../encoder_training/rows.ts";

/** Similarity of continuations of truncated prompts. */
export function reportGeneration(result: RunBody): Section {
  const rows = partOf(result.cells, "generation");
  if (rows.length === 0) return { heading: "Continuations" };
  const shares = distinct(rows.map((row) => Number(row.params.share))).filter((share) => share < 1);
  const policies = distinct(rows.map((row) => row.variant)).filter((p) => p !== "unrelated");
  const floor = summary(where(rows, {}, "unrelated"), "similarity");
  const of = (policy: string, share: number, metric: string) =>
    summary(where(rows, { share }, policy), metric);
  return {
    heading: "Continuations of truncated prompts",
    paragraphs: [
      "GPT-2 continues the truncated and the full prompt greedily; both continuations are embedded by the encoder (mean over tokens) and " +
      "compared by cosine. Mean-pooled embeddings of a small encoder lie close together, so read the figures against the floor: " +
      `continuations of unrelated prompts reach ${floor?.mean.toFixed(3) ?? "–"}.`,
    ],
    tables: [{
      title: "Cosine with the continuation of the full prompt, and share of equal tokens",
      columns: [
        { name: "policy" },
        ...shares.flatMap((share) => [
          { name: `cosine, ${percent(share, 0)} kept`, align: "right" as const },
          { name: `equal tokens, ${percent(share, 0)} kept`, align: "right" as const },
        ]),
      ],
      rows: policies.map((policy) => [
        policy,
        ...shares.flatMap((share) => [
          of(policy, share, "similarity")?.mean.toFixed(3) ?? null,
          percent(of(policy, share, "same-tokens")?.mean ?? NaN),
        ]),
      ]),
    }],
    charts: [{
      id: "continuations",
      title: "Similarity of the continuation to that of the full prompt",
      mark: "line",
      x: { label: "tokens of the prompt kept (%)" },
      y: { label: "cosine" },
      series: policies.map((policy) => ({
        name: policy,
        points: shares.flatMap((share) => {
          const value = of(policy, share, "similarity");
          return value ? [{ x: share * 100, y: value.mean, low: value.low, high: value.high }] : [];
        }),
      })),
      references: floor ? [{ axis: "y", value: floor.mean, label: "unrelated prompts" }] : [],
    }],
  };
}

/** Time and memory over the share kept, of the scoring, and of the choice itself. */
export function reportCost(result: RunBody): Section {
  const rows = partOf(result.cells, "cost");
  const cuts = partOf(result.cells, "truncation-cost");
  if (rows.length === 0) return { heading: "Cost" };
  const full = (phase: string) => where(rows, { share: 1 }, phase)[0];
  const ratio = (value: number | undefined, base: number | undefined) =>
    value !== undefined && base ? (value / base).toFixed(2) : null;
  return {
    heading: "Cost",
    tables: [{
      title: "Time and peak GPU bytes of a batch",
      columns: [
        { name: "work" },
        { name: "kept", align: "right" },
        { name: "T", align: "right" },
        { name: "ms/document", align: "right" },
        { name: "of the full input", align: "right" },
        { name: "peak (MiB)", align: "right" },
        { name: "of the full input", align: "right" },
      ],
      rows: rows.map((row) => {
        const base = full(row.variant);
        const time = metricOf(row, "time-per-document");
        return [
          row.variant,
          percent(Number(row.params.share), 0),
          Number(row.params.T),
          time?.toPrecision(3) ?? null,
          ratio(time, base && metricOf(base, "time-per-document")),
          ((row.memoryBytes?.peak ?? 0) / 2 ** 20).toFixed(2),
          ratio(row.memoryBytes?.peak, base?.memoryBytes?.peak),
        ];
      }),
      note:
        "Scoring runs the encoder once; maps are materialised for comparison, one layer at a time. Weights are not counted.",
    }, {
      title: "Choosing the tokens, CPU, half of them kept",
      columns: [{ name: "policy" }, { name: "T", align: "right" }, {
        name: "ms/document",
        align: "right",
      }],
      rows: cuts.map((row) => [
        row.variant,
        Number(row.params.T),
        metricOf(row, "truncation-time")?.toFixed(4) ?? null,
      ]),
    }],
    charts: [{
      id: "cost-kept",
      title: "Time per document over the share of tokens kept",
      mark: "line",
      x: { label: "tokens kept (%)" },
      y: { label: "ms/document" },
      series: ["forward", "forward+backward"].map((phase) => ({
        name: phase,
        points: where(rows, {}, phase).flatMap((row) => {
          const y = metricOf(row, "time-per-document");
          return y === undefined ? [] : [{ x: Number(row.params.share) * 100, y }];
        }).sort((a, b) => a.x - b.x),
      })),
    }],
  };
}
