import { keptPositions, overlap, rankCorrelation } from "../../data/mod.ts";
import { budgetForShare } from "../../data/mod.ts";
import type { TaskContext } from "../../harness/contract.ts";
import type { TruncationConfig, Unit } from "./config.ts";
import type { PreparedUnit } from "./prepare.ts";
import { type Scorer, tableOf } from "./scorer.ts";

/** Rarer tokens are left out of the lists: their mean says little. */
const MIN_COUNT = 5;
/** Tokens in each list. */
const LISTED = 15;
/** Policies whose choice is shown on the example documents. */
const SHOWN = ["right", "tf-idf", "occurrence", "contextual"] as const;

/** Most and least attended tokens, agreement with tf-idf, and two example documents with the kept tokens marked. */
export function recordTokens(
  context: TaskContext,
  config: TruncationConfig,
  unit: Unit,
  { prepared, scorer, pretraining }: {
    prepared: PreparedUnit;
    scorer: Scorer;
    pretraining: [number, number][];
  },
): void {
  const { tokenizer } = prepared;
  const { dictionary, frequencies } = scorer;
  const table = tableOf(dictionary);
  const special = new Set(tokenizer.specials);
  const ranked = [...table].filter(([id]) => !special.has(id) && dictionary.count(id) >= MIN_COUNT)
    .sort(([, a], [, b]) => b - a);
  const list = (items: [number, number][]) =>
    items.map(([id]) => JSON.stringify(tokenizer.decode([id]))).join(" ");
  const idf = ranked.map(([id]) => frequencies.inverse(id));
  const common = { task: unit.task.name, seed: unit.seed };
  context.record({
    variant: "none",
    params: { part: "tokens", ...common },
    metrics: [
      {
        metric: "coverage",
        unit: "1",
        value: dictionary.coverage(tokenizer.vocabSize),
        seed: unit.seed,
      },
      {
        metric: "idf-agreement",
        unit: "rank correlation",
        value: rankCorrelation(ranked.map(([, score]) => score), idf),
        seed: unit.seed,
        n: ranked.length,
      },
      {
        metric: "kept-overlap",
        unit: "intersection over union",
        value: meanOverlap(config, prepared, scorer),
        seed: unit.seed,
        n: prepared.test.length,
      },
      { metric: "too-long", unit: "documents", value: prepared.tooLong, seed: unit.seed },
    ],
    curves: pretraining.length === 0 ? [] : [{
      name: "pretraining loss",
      xLabel: "step",
      yLabel: "masked-language loss (nats/token)",
      seed: unit.seed,
      points: pretraining,
    }],
    notes: unit.seed > 0 ? [] : [
      `most attended: ${list(ranked.slice(0, LISTED))}`,
      `least attended: ${list(ranked.slice(-LISTED).reverse())}`,
    ],
  });
  if (unit.seed > 0) return;
  for (const [example, document] of exampleDocuments(prepared).entries()) {
    for (const policy of SHOWN) {
      context.record({
        variant: policy,
        params: { part: "example", ...common, example, share: config.trainShare },
        notes: [marked(config, prepared, scorer, document, policy)],
      });
    }
  }
}

/** Mean overlap of what `occurrence` and tf-idf keep of the test documents. */
function meanOverlap(config: TruncationConfig, prepared: PreparedUnit, scorer: Scorer): number {
  const kept = (index: number, policy: "occurrence" | "tf-idf") =>
    positionsKept(config, prepared, scorer, prepared.test[index], policy);
  const sum = prepared.test.reduce(
    (total, _, i) => total + overlap(kept(i, "occurrence"), kept(i, "tf-idf")),
    0,
  );
  return sum / prepared.test.length;
}

function positionsKept(
  config: TruncationConfig,
  { tokenizer }: PreparedUnit,
  { dictionary, frequencies, contextual, seed }: Scorer,
  document: PreparedUnit["test"][number],
  policy: typeof SHOWN[number],
): Int32Array {
  const { specials } = tokenizer;
  return keptPositions(document.ids, {
    policy,
    budget: budgetForShare(config.trainShare, document.ids.length, specials.length),
    specials,
    scores: policy === "contextual" ? contextual.test[document.index] : tableOf(dictionary),
    frequencies,
    seed,
  });
}

/** Two short documents of different classes. */
function exampleDocuments({ test }: PreparedUnit): PreparedUnit["test"][number][] {
  const first = test.find(({ ids }) => ids.length >= 24) ?? test[0];
  const second = test.find(({ ids, label }) => ids.length >= 24 && label !== first.label);
  return second ? [first, second] : [first];
}

/** The text with runs of kept tokens in bold. */
function marked(
  config: TruncationConfig,
  prepared: PreparedUnit,
  scorer: Scorer,
  document: PreparedUnit["test"][number],
  policy: typeof SHOWN[number],
): string {
  const kept = new Set(positionsKept(config, prepared, scorer, document, policy));
  const { tokenizer } = prepared;
  const inner = Array.from(document.ids, (_, i) => i).slice(1, -1);
  const runs: { kept: boolean; ids: number[] }[] = [];
  for (const i of inner) {
    if (runs.at(-1)?.kept !== kept.has(i)) runs.push({ kept: kept.has(i), ids: [] });
    runs.at(-1)!.ids.push(document.ids[i]);
  }
  return runs.map((run) => {
    const text = tokenizer.decode(run.ids).replaceAll(/[*_`<>[\]|\\]/g, "\\$&");
    const [, before, body, after] = /^(\s*)([\s\S]*?)(\s*)$/.exec(text)!;
    return run.kept && body ? `${before}**${body}**${after}` : text;
  }).join("");
}
