import type { Cell, Comparison } from "../../harness/contract.ts";
import { comparePairs, type PairInput } from "../../harness/statistics/mod.ts";
import type { TruncationConfig } from "./config.ts";
import { correctByDocument, distinct, meanCurve, partOf, where } from "../encoder_training/rows.ts";

/** Accuracy difference that counts as none; declared before any run. */
export const ACCURACY_MARGIN = 0.02;

/** Accuracy differences with a bootstrap over test documents (each averaged over seeds), and similarity of continuations. */
export function compareTruncation(
  cells: readonly Cell[],
  config: TruncationConfig,
): Comparison[] {
  return comparePairs([
    ...matched(cells, config),
    ...testOnly(cells, config),
    ...sourcePairs(cells),
    ...continuations(cells),
  ]);
}

/** Models trained and tested under the same policy, against right truncation and against the control. */
function matched(cells: readonly Cell[], { trainShare }: TruncationConfig): PairInput[] {
  const rows = where(partOf(cells, "matrix"), { fold: 0 });
  return distinct(rows.map((row) => String(row.params.task))).flatMap((task) => {
    const own = where(rows, { task });
    const of = (policy: string) =>
      where(own, { test: policy, share: policy === "none" ? 1 : trainShare }, policy);
    const policies = distinct(own.map((row) => row.variant)).filter((p) => p !== "none");
    return policies.flatMap((policy) =>
      ["right", "none"].filter((base) => base !== policy).flatMap((base) =>
        documentPair(
          `matched-${task}-${policy}-${base}`,
          `accuracy (${task}, trained and tested)`,
          {
            base: of(base),
            other: of(policy),
            params: { task, share: trainShare },
            names: [base, policy],
          },
        )
      )
    );
  });
}

/** The control, tested under each policy, against right truncation: which half is kept at test time, and nothing else. */
function testOnly(cells: readonly Cell[], { trainShare }: TruncationConfig): PairInput[] {
  const rows = where(partOf(cells, "matrix"), { fold: 0 }, "none");
  return distinct(rows.map((row) => String(row.params.task))).flatMap((task) => {
    const at = (test: string) => where(rows, { task, test, share: trainShare });
    const policies = distinct(where(rows, { task }).map((row) => String(row.params.test)));
    return policies.filter((p) => p !== "none" && p !== "right").flatMap((policy) =>
      documentPair(`test-only-${task}-${policy}`, `accuracy (${task}, control model)`, {
        base: at("right"),
        other: at(policy),
        params: { task, share: trainShare },
        names: ["right", policy],
      })
    );
  });
}

function sourcePairs(cells: readonly Cell[]): PairInput[] {
  const rows = partOf(cells, "source");
  return distinct(rows.map((row) => String(row.params.task))).flatMap((task) => {
    const of = (group: string) => where(rows, { task }, group);
    return [["source-right", "source-attention"], ["source-control", "source-attention"]].flatMap((
      [base, other],
    ) =>
      documentPair(`${other}-${base}-${task}`, `accuracy (${task}, the source's protocol)`, {
        base: of(base),
        other: of(other),
        params: { task },
        names: [base, other],
      })
    );
  });
}

function continuations(cells: readonly Cell[]): PairInput[] {
  const rows = partOf(cells, "generation");
  const shares = distinct(rows.map((row) => Number(row.params.share))).filter((share) => share < 1);
  return shares.flatMap((share) => {
    const of = (policy: string) => meanCurve(where(rows, { share }, policy), "similarity");
    const base = of("right");
    const policies = distinct(where(rows, { share }).map((row) => row.variant));
    return policies.filter((p) => p !== "right").flatMap((policy): PairInput[] => {
      const other = of(policy);
      if (!base || !other || base.length !== other.length) return [];
      return [{
        id: `continuation-${policy}-${share}`,
        metric: "similarity of continuations",
        baseline: { variant: "right", params: { share } },
        candidate: { variant: policy, params: { share } },
        baselineValues: base,
        candidateValues: other,
        scale: "difference",
        better: "higher",
      }];
    });
  });
}

function documentPair(
  id: string,
  metric: string,
  { base, other, params, names }: {
    base: readonly Cell[];
    other: readonly Cell[];
    params: Cell["params"];
    names: string[];
  },
): PairInput[] {
  const [a, b] = [correctByDocument(base), correctByDocument(other)];
  if (!a || !b || a.length !== b.length) return [];
  return [{
    id,
    metric,
    baseline: { variant: names[0], params },
    candidate: { variant: names[1], params },
    baselineValues: a,
    candidateValues: b,
    scale: "difference",
    better: "higher",
    margin: ACCURACY_MARGIN,
  }];
}
