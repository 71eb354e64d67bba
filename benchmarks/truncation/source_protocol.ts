import { budgetForShare, truncate } from "../../data/mod.ts";
import type { TaskContext } from "../../harness/contract.ts";
import type { TruncationConfig, Unit } from "./config.ts";
import { unitName } from "./config.ts";
import { buildClassifier } from "./encoder.ts";
import { classificationLoss, fineTune } from "../encoder_training/fine_tune.ts";
import { predict } from "../encoder_training/predict.ts";
import { prepareUnit } from "./prepare.ts";
import { qualityOf } from "../encoder_training/quality.ts";
import { buildDictionary, tableOf } from "./scorer.ts";
import { correctCurve, qualityMetrics } from "./test_model.ts";

/** The source's three groups. */
export const SOURCE_GROUPS = ["source-control", "source-right", "source-attention"] as const;

/**
 * The source's own protocol: documents keep half of their own length; the attention group trains the first half of the epochs (one of
 * two) on right-truncated documents, builds its dictionary with the model so far and trains the rest on attention-truncated ones, whole
 * types at a time; test documents are truncated as the group's last training documents.
 */
export async function runSourceTask(
  context: TaskContext,
  config: TruncationConfig,
  unit: Unit,
): Promise<void> {
  const prepared = await prepareUnit(context, config, unit);
  const { specials, pad } = prepared.tokenizer;
  for (const group of SOURCE_GROUPS) {
    const model = await buildClassifier(context, config, unit, prepared);
    let table: ReadonlyMap<number, number> | undefined;
    const shorten = (ids: Int32Array) => {
      if (group === "source-control") return ids;
      const budget = budgetForShare(config.trainShare, ids.length, specials.length);
      return table
        ? truncate(ids, { policy: "type-whole", budget, specials, scores: table })
        : truncate(ids, { policy: "right", budget, specials });
    };
    try {
      const training = await fineTune(context, config.fineTuning, {
        loss: classificationLoss,
        model,
        documents: async (epoch) => {
          if (group === "source-attention" && !table && epoch >= config.fineTuning.epochs / 2) {
            const ids = prepared.train.map((document) => document.ids);
            const options = { padId: pad, signal: context.signal };
            table = tableOf(await buildDictionary(model, ids, options));
          }
          return prepared.train.map(({ ids, label }) => ({ ids: shorten(ids), label }));
        },
        count: prepared.train.length,
        padId: pad,
        seed: context.seed(`batches/${unitName(unit)}`),
        label: group,
      });
      const documents = prepared.test.map(({ ids }) => shorten(ids));
      const quality = qualityOf(
        await predict(context, model, documents.map((ids) => ({ ids })), pad),
        prepared.test.map(({ label }) => label),
      );
      context.record({
        variant: group,
        params: { part: "source", task: unit.task.name, seed: unit.seed },
        implementation: {
          form: "fused",
          label: "dense",
          parameters: model.parameters.trainableCount,
        },
        metrics: [
          ...qualityMetrics(quality, unit.seed),
          {
            metric: "kept-tokens",
            unit: "tokens/document",
            value: documents.reduce((sum, ids) => sum + ids.length, 0) / documents.length,
            seed: unit.seed,
          },
        ],
        curves: [
          correctCurve(quality, unit.seed),
          {
            name: "training loss",
            xLabel: "step",
            yLabel: "loss (nats)",
            seed: unit.seed,
            points: training.losses,
          },
        ],
      });
    } finally {
      model.dispose();
    }
  }
}
