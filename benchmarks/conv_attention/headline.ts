import type { Audit, Comparison, RunBody } from "../../harness/contract.ts";

/** The finding in one sentence each: the leak, and what staged sharing costs. */
export function headline(result: RunBody): string[] {
  const lines = [leakSentence(result), progressiveSentence(result)].filter((line) => line !== "");
  return lines.length > 0 ? lines : ["No rows that could be compared were recorded."];
}

/** How much of the published advantage is target leakage, and what remains under the causal form. */
function leakSentence({ comparisons, audits }: RunBody): string {
  const pooled = figure(comparisons, "advantage-pooled");
  const unseen = figure(comparisons, "advantage-unseen");
  const share = figure(comparisons, "leak-share");
  const causal = figure(comparisons, "advantage-causal");
  const gap = figure(comparisons, "unseen-less-seen-conv_attention");
  if (pooled === null || unseen === null) return "";
  const evidence = auditEvidence(audits);
  const remains = causal === null
    ? ""
    : ` The causal form of the same pyramid is ${versus(causal)} on the same unseen targets.`;
  if (share === null) {
    return `In this run conv_attention as published has no advantage over the like-for-like GPT-2 (trained on the same targets) to explain: on all targets it is ${
      versus(pooled)
    }, on targets that are not in its input ${versus(unseen)}` +
      (gap === null
        ? ""
        : `; on targets that stand in its input its loss is ${nats(Math.abs(gap))} ${
          gap >= 0 ? "lower" : "higher"
        } than on the others`) +
      `${evidence}.${remains}`;
  }
  return `Of conv_attention's published advantage of ${
    nats(pooled)
  } over the like-for-like GPT-2 (trained on the same targets), ` +
    `${percent(share)} is target leakage: on targets that are not in its input it is ${
      versus(unseen)
    }${evidence}.${remains}`;
}

function auditEvidence(audits: readonly Audit[]): string {
  const found = (subject: string) =>
    audits.find((audit) => audit.id === "target-leak" && audit.subject === subject);
  const [published, causal] = [found("conv_attention"), found("conv_attention_causal")];
  if (!published || !causal) return "";
  const count = (audit: Audit) => `${audit.statistic ?? "?"} of ${audit.n}`;
  return ` (audit: ${count(published)} changed tokens change the very output that predicts them, ` +
    `${count(causal)} in the causal form)`;
}

function progressiveSentence({ comparisons }: RunBody): string {
  const pair = comparisons.find((c) =>
    c.kind === "pair" && c.id === "loss-test-progressive_diverging-gpt2"
  );
  if (pair?.kind !== "pair" || pair.estimate === null) return "";
  const { estimate, n, verdict } = pair;
  return `progressive_diverging's test loss is ${nats(Math.abs(estimate))} ${
    estimate < 0 ? "below" : "above"
  } GPT-2's at equal context, data and steps (${verdict}, ${n} seeds).`;
}

/** Value of a derived figure; null where it is missing or empty. */
export function figure(comparisons: readonly Comparison[], id: string): number | null {
  const found = comparisons.find((c) => c.kind === "derived" && c.id === id);
  return found?.kind === "derived" ? found.value : null;
}

function nats(value: number): string {
  return `${value.toFixed(3)} nats/token`;
}

/** Over 100 % means that the model is worse where it cannot look. */
function percent(share: number): string {
  return share > 1 ? "all" : `${(share * 100).toFixed(0)} %`;
}

function versus(advantage: number): string {
  return `${nats(Math.abs(advantage))} ${advantage >= 0 ? "better" : "worse"} than that GPT-2`;
}
