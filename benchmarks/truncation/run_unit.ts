import { findLeaks, TokenScores } from "../../data/mod.ts";
import type { TaskContext } from "../../harness/contract.ts";
import { makeAudit } from "../../harness/audits/mod.ts";
import type { Policy, TruncationConfig, Unit } from "./config.ts";
import { unitName } from "./config.ts";
import { buildClassifier, pretrainEncoder } from "./encoder.ts";
import { classificationLoss, fineTune } from "../encoder_training/fine_tune.ts";
import { type PreparedUnit, prepareUnit } from "./prepare.ts";
import { buildScorer, loadScorer, type Scorer, truncateDocument } from "./scorer.ts";
import { recordSubsets } from "./subsets.ts";
import { testAndRecord } from "./test_model.ts";
import { recordTokens } from "./tokens.ts";

/** Pretrains the encoder, fine-tunes and tests the control, builds what the other policies need, and audits it for leakage. */
export async function runPrepareTask(
  context: TaskContext,
  config: TruncationConfig,
  unit: Unit,
): Promise<void> {
  const prepared = await prepareUnit(context, config, unit);
  const losses = config.encoder.source === "own"
    ? await pretrainEncoder(context, config, unit, prepared)
    : [];
  const model = await buildClassifier(context, config, unit, prepared);
  try {
    const training = await fineTune(context, config.fineTuning, {
      loss: classificationLoss,
      model,
      documents: () => prepared.train,
      count: prepared.train.length,
      padId: prepared.tokenizer.pad,
      seed: context.seed(`batches/${unitName(unit)}`),
      label: "none",
    });
    const scorer = await buildScorer(context, config, unit, prepared, model);
    auditLeakage(context, unit, prepared, scorer);
    await testAndRecord(context, config, unit, "none", { model, prepared, scorer, training });
    if (unit.fold === 0) {
      await recordSubsets(context, config, unit, { model, prepared, scorer });
      recordTokens(context, config, unit, { prepared, scorer, pretraining: losses });
    }
  } finally {
    model.dispose();
  }
}

/** Fine-tunes a model on documents truncated by one policy and tests it under all. */
export async function runTrainTask(
  context: TaskContext,
  config: TruncationConfig,
  unit: Unit,
  policy: Policy,
): Promise<void> {
  const prepared = await prepareUnit(context, config, unit);
  const scorer = await loadScorer(context, unit, prepared);
  const { specials, pad } = prepared.tokenizer;
  const documents = prepared.train.map((document) => ({
    label: document.label,
    ids: truncateDocument(scorer, document, "train", policy, config.trainShare, specials),
  }));
  const model = await buildClassifier(context, config, unit, prepared);
  try {
    const training = await fineTune(context, config.fineTuning, {
      loss: classificationLoss,
      model,
      documents: () => documents,
      count: documents.length,
      padId: pad,
      seed: context.seed(`batches/${unitName(unit)}`),
      label: policy,
    });
    await testAndRecord(context, config, unit, policy, { model, prepared, scorer, training });
  } finally {
    model.dispose();
  }
}

/** No test document may be among those the dictionary was made from; a planted one must be found. */
function auditLeakage(
  context: TaskContext,
  unit: Unit,
  prepared: PreparedUnit,
  { dictionary }: Scorer,
): void {
  const test = prepared.test.map(({ ids }) => ids);
  const planted = TokenScores.fromJson(dictionary.toJson());
  planted.add(test[0], new Float32Array(test[0].length));
  const evidence = (sources: ReadonlySet<string>) => ({
    n: test.length,
    statistic: findLeaks(sources, test).length,
  });
  const foreign = new Set(prepared.train.map(({ id }) => id));
  const shared = prepared.test.filter(({ id }) => foreign.has(id)).length;
  const { n, statistic } = evidence(dictionary.sources);
  context.audit(makeAudit({
    id: "leakage",
    subject: unitName(unit),
    evidence: { n, statistic: statistic + shared },
    threshold: 0,
    canaries: [evidence(planted.sources)],
    compared:
      `test documents among the ${dictionary.sources.size} that the dictionary was made from, or in both splits ` +
      `(${prepared.duplicates} test documents that also occur in training were left out beforehand)`,
  }));
}
