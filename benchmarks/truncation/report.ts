import type { Comparison, ReportInput, RunBody } from "../../harness/contract.ts";
import { reportCost, reportGeneration } from "./report_cost.ts";
import { percent, type Section, signed, type Table } from "./report_format.ts";
import { reportTokens } from "./report_tokens.ts";
import { distinct, partOf, summary, where } from "../encoder_training/rows.ts";
import { published } from "./published.ts";

/** The truncation benchmark's part of the report. */
export function reportTruncation(result: RunBody): ReportInput {
  const tasks = distinct(partOf(result.cells, "matrix").map((row) => String(row.params.task)));
  const sections = [
    ...tasks.map((task) => accuracy(result, task)),
    sourceProtocol(result),
    ...tasks.map((task) => crossValidation(result, task)),
    layerSubsets(result),
    reportTokens(result),
    reportGeneration(result),
    reportCost(result),
  ];
  return {
    headline: headline(result, tasks),
    sections: sections.filter((s) => (s.tables?.length ?? 0) + (s.charts?.length ?? 0) > 0),
  };
}

function trainShareOf({ config }: RunBody): number {
  return Number(config.trainShare);
}

function pairs(result: RunBody, prefix: string): Extract<Comparison, { kind: "pair" }>[] {
  return result.comparisons.filter((c) => c.kind === "pair" && c.id.startsWith(prefix)) as Extract<
    Comparison,
    { kind: "pair" }
  >[];
}

function headline(result: RunBody, tasks: readonly string[]): string[] {
  const share = percent(trainShareOf(result), 0);
  const lines = tasks.flatMap((task) => {
    const found = pairs(result, `matched-${task}-`).find((c) =>
      c.id === `matched-${task}-occurrence-right`
    );
    const atTest = pairs(result, `test-only-${task}-occurrence`)[0];
    if (!found && !atTest) return [];
    const say = (c: typeof found) =>
      c ? `${signed(c.estimate)} (${c.verdict}, ${c.n} documents)` : "not measured";
    return [
      `${task}, ${share} of the tokens kept: accuracy of attention (occurrence) less that of right truncation is ` +
      `${say(found)} where training and test are truncated alike, and ${
        say(atTest)
      } at test time alone, ` +
      "with the model of the whole texts.",
    ];
  });
  return lines.length > 0 ? lines : ["No rows that could be compared were recorded."];
}

function accuracy(result: RunBody, task: string): Section {
  const rows = where(partOf(result.cells, "matrix"), { task, fold: 0 });
  const trainShare = trainShareOf(result);
  const policies = distinct(rows.map((row) => row.variant));
  const tested = distinct(rows.map((row) => String(row.params.test)));
  const cell = (trained: string, test: string, share: number) =>
    summary(where(rows, { test, share }, trained), "accuracy");
  const at = (trained: string, test: string) =>
    cell(trained, test, test === "none" ? 1 : trainShare);
  const shares = distinct(rows.map((row) => Number(row.params.share))).sort((a, b) => a - b);
  const sweep = (trained: (policy: string) => string) =>
    tested.filter((policy) => policy !== "none").map((policy) => ({
      name: policy,
      points: shares.filter((s) => s < 1).flatMap((share) => {
        const value = cell(trained(policy), policy, share);
        return value ? [{ x: share * 100, y: value.mean, low: value.low, high: value.high }] : [];
      }),
    }));
  const control = at("none", "none");
  const references = control
    ? [{ axis: "y" as const, value: control.mean, label: "whole text" }]
    : [];
  const chart = (id: string, title: string, trained: (policy: string) => string) => ({
    id: `${id}-${task}`,
    title: `${title}: ${task}`,
    mark: "line" as const,
    x: { label: "tokens kept (% of each document)" },
    y: { label: "accuracy" },
    series: sweep(trained),
    references,
    note: "Band: 95 % interval of the mean over seeds.",
  });
  const matrix: Table = {
    title: `Accuracy by policy at training (rows) and at test (columns), ${
      percent(trainShare, 0)
    } kept`,
    columns: [
      { name: "trained on" },
      ...tested.map((name) => ({ name, align: "right" as const })),
    ],
    rows: policies.map((trained) => [
      trained,
      ...tested.map((test) => {
        const value = at(trained, test);
        return value && percent(value.mean);
      }),
    ]),
    note:
      "none: the whole text. Down a column: what training does; along a row: what the choice at test time does.",
  };
  const alike: Table = {
    title: "Trained and tested under the same policy",
    columns: [
      { name: "policy" },
      { name: "accuracy", align: "right" },
      { name: "macro-F1", align: "right" },
      { name: "tokens", align: "right" },
      { name: "less right", align: "right" },
      { name: "verdict" },
      { name: "less control", align: "right" },
      { name: "training (s)", align: "right" },
      { name: "seeds", align: "right" },
    ],
    rows: policies.map((policy) => {
      const own = where(
        rows,
        { test: policy, share: policy === "none" ? 1 : trainShare },
        policy,
      );
      const [acc, f1, kept] = ["accuracy", "macro-f1", "kept-tokens"].map((m) => summary(own, m));
      const time = summary(where(rows, {}, policy), "training-time");
      const against = (base: string) =>
        pairs(result, `matched-${task}-${policy}-${base}`).find((c) =>
          c.id === `matched-${task}-${policy}-${base}`
        );
      const difference = (c: ReturnType<typeof against>) =>
        c
          ? `${signed(c.estimate)}${
            c.interval ? ` [${signed(c.interval.low)}, ${signed(c.interval.high)}]` : ""
          }`
          : null;
      return [
        policy,
        acc && percent(acc.mean),
        f1 && percent(f1.mean),
        kept && kept.mean.toFixed(1),
        difference(against("right")),
        against("right")?.verdict ?? null,
        difference(against("none")),
        time && time.mean.toFixed(1),
        acc?.n ?? null,
      ];
    }),
    note:
      "Differences: paired bootstrap over test documents, each averaged over seeds; corrected together (Holm).",
  };
  return {
    heading: `Accuracy: ${task}`,
    tables: [alike, matrix],
    charts: [
      chart("kept-alike", "Trained and tested under the policy", (policy) => policy),
      chart("kept-control", "Control model, truncated at test time only", () => "none"),
      {
        id: `matrix-${task}`,
        title: `Accuracy by training and test policy: ${task}`,
        mark: "heatmap",
        x: { label: "tested under", scale: "category" },
        y: { label: "trained under", scale: "category" },
        series: [{
          name: "accuracy",
          points: policies.flatMap((trained) =>
            tested.flatMap((test) => {
              const value = at(trained, test);
              return value ? [{ x: test, y: trained, value: value.mean }] : [];
            })
          ),
        }],
      },
    ],
  };
}

function sourceProtocol(result: RunBody): Section {
  const rows = partOf(result.cells, "source");
  const groups = distinct(rows.map((row) => row.variant));
  const tasks = distinct(rows.map((row) => String(row.params.task)));
  const ours = (task: string, group: string) => summary(where(rows, { task }, group), "accuracy");
  return {
    heading: "The source's own protocol",
    paragraphs: [
      "Half of each document's own tokens are removed. The attention group trains the first half of the epochs on right-truncated " +
      "documents, then builds its dictionary and goes on with attention-truncated ones, whole token types at a time; test " +
      "documents are truncated as in the group. It mixes what is kept at test time with what the model was trained on, which the matrix above " +
      "separates. The published figures belong to 20 Newsgroups and BERT base: comparable under the paper preset only.",
    ],
    tables: rows.length === 0 ? [] : [{
      title: "Accuracy by group",
      columns: [
        { name: "group" },
        ...tasks.map((name) => ({ name, align: "right" as const })),
        { name: "tokens", align: "right" },
        { name: "published (20 Newsgroups)", align: "right" },
      ],
      rows: groups.map((group) => [
        group,
        ...tasks.map((task) => {
          const value = ours(task, group);
          return value &&
            `${percent(value.mean)}${
              value.low === null
                ? ""
                : ` [${percent(Math.max(0, value.low))}, ${percent(Math.min(1, value.high!))}]`
            }`;
        }),
        summary(where(rows, {}, group), "kept-tokens")?.mean.toFixed(1) ?? null,
        percent(published.find((figure) => figure.variant === group)!.value, 0),
      ]),
      note: pairs(result, "source-").map((c) =>
        `${c.candidate.variant} less ${c.baseline.variant}, ${c.candidate.params.task}: ${
          signed(c.estimate)
        } (${c.verdict})`
      ).join("; "),
    }],
  };
}

function crossValidation(result: RunBody, task: string): Section {
  const rows = where(partOf(result.cells, "matrix"), { task, seed: 0 });
  const folds = distinct(rows.map((row) => Number(row.params.fold)));
  const trainShare = trainShareOf(result);
  if (folds.length < 2) return { heading: "Cross-validation" };
  const policies = distinct(where(rows, { fold: folds[1] }).map((row) => row.variant));
  const of = (policy: string, fold?: number) =>
    where(rows, {
      test: policy,
      share: policy === "none" ? 1 : trainShare,
      ...(fold === undefined ? {} : { fold }),
    }, policy);
  return {
    heading: `Cross-validation: ${task}`,
    tables: [{
      title: "Accuracy by fold, one seed; whole groups are held out",
      columns: [
        { name: "policy" },
        ...folds.map((fold) => ({ name: `fold ${fold}`, align: "right" as const })),
        { name: "mean", align: "right" },
      ],
      rows: policies.map((policy) => [
        policy,
        ...folds.map((fold) => {
          const value = summary(of(policy, fold), "accuracy");
          return value && percent(value.mean);
        }),
        percent(summary(of(policy), "accuracy")?.mean ?? NaN),
      ]),
    }],
  };
}

function layerSubsets(result: RunBody): Section {
  const rows = partOf(result.cells, "layers");
  const keys = distinct(
    rows.map((row) => `${row.params.task}|${row.params.scoring}|${row.params.layers}`),
  );
  return {
    heading: "Layers and scoring",
    tables: rows.length === 0 ? [] : [{
      title: "Control model tested under occurrence, by what the dictionary averages",
      columns: [
        { name: "task" },
        { name: "scoring" },
        { name: "layers" },
        { name: "accuracy", align: "right" },
        { name: "rank correlation with the main dictionary", align: "right" },
      ],
      rows: keys.map((key) => {
        const [task, scoring, layers] = key.split("|");
        const own = where(rows, { task, scoring, layers });
        return [
          task,
          scoring,
          layers,
          percent(summary(own, "accuracy")?.mean ?? NaN),
          summary(own, "agreement")?.mean.toFixed(3) ?? null,
        ];
      }),
      note: "row-column: the source's score; received: column means, what a token receives.",
    }],
  };
}
