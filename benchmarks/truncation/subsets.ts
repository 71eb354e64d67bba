import { rankCorrelation } from "../../data/mod.ts";
import type { TaskContext } from "../../harness/contract.ts";
import { ATTENTION_SCORINGS } from "../../attention/mod.ts";
import type { Bert, BertScoreOptions } from "../../models/mod.ts";
import type { TruncationConfig, Unit } from "./config.ts";
import { predict } from "../encoder_training/predict.ts";
import type { PreparedUnit } from "./prepare.ts";
import { qualityOf } from "../encoder_training/quality.ts";
import { buildDictionary, type Scorer, tableOf, truncateDocument } from "./scorer.ts";
import { qualityMetrics } from "./test_model.ts";

/** Dictionaries from some layers and by either scoring: the control tested under `occurrence` with each. */
export async function recordSubsets(
  context: TaskContext,
  config: TruncationConfig,
  unit: Unit,
  { model, prepared, scorer }: { model: Bert; prepared: PreparedUnit; scorer: Scorer },
): Promise<void> {
  const { pad, specials } = prepared.tokenizer;
  const documents = prepared.train.map(({ ids }) => ids);
  const labels = prepared.test.map(({ label }) => label);
  const main = tableOf(scorer.dictionary);
  const half = Math.max(1, Math.floor(model.blocks.length / 2));
  const subsets: [string, BertScoreOptions["layers"]][] = [["all", undefined]];
  if (half < model.blocks.length) {
    subsets.push([`first ${half}`, { first: half }], [`last ${half}`, { last: half }]);
  }
  for (const scoring of ATTENTION_SCORINGS) {
    for (const [name, layers] of subsets) {
      const dictionary = await buildDictionary(model, documents, {
        ...{ padId: pad, signal: context.signal, scoring, layers },
      });
      const table = tableOf(dictionary);
      const truncated = prepared.test.map((document) =>
        truncateDocument(
          scorer,
          document,
          "test",
          "occurrence",
          config.trainShare,
          specials,
          table,
        )
      );
      const quality = qualityOf(
        await predict(context, model, truncated.map((ids) => ({ ids })), pad),
        labels,
      );
      const ids = [...main.keys()];
      context.record({
        variant: "none",
        params: {
          part: "layers",
          task: unit.task.name,
          seed: unit.seed,
          layers: name,
          scoring,
          share: config.trainShare,
        },
        metrics: [
          ...qualityMetrics(quality, unit.seed),
          {
            metric: "agreement",
            unit: "rank correlation",
            value: rankCorrelation(
              ids.map((id) => table.get(id)!),
              ids.map((id) => main.get(id)!),
            ),
            seed: unit.seed,
          },
        ],
      });
    }
  }
}
