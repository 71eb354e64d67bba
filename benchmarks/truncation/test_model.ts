import type { CellInput, TaskContext } from "../../harness/contract.ts";
import type { Bert } from "../../models/mod.ts";
import { policiesOf, type Policy, type TruncationConfig, type Unit } from "./config.ts";
import type { FineTuning } from "../encoder_training/fine_tune.ts";
import { predict } from "../encoder_training/predict.ts";
import type { PreparedUnit } from "./prepare.ts";
import { type Quality, qualityOf } from "../encoder_training/quality.ts";
import { type Scorer, truncateDocument } from "./scorer.ts";

/** One test: how the test documents are truncated. */
export interface TestPoint {
  readonly policy: Policy;
  readonly share: number;
}

/**
 * The tests of a model trained under `trained`: every policy at the training share (its row of the matrix), its own policy at every
 * share, and for the control every policy at every share.
 */
export function testPoints(config: TruncationConfig, unit: Unit, trained: Policy): TestPoint[] {
  const points: TestPoint[] = [{ policy: "none", share: 1 }];
  for (const policy of policiesOf(unit)) {
    if (policy === "none") continue;
    const sweeps = policy === trained || (trained === "none" && unit.fold === 0);
    const shares = sweeps
      ? [...new Set([config.trainShare, ...config.shares])]
      : [config.trainShare];
    for (const share of shares.sort((a, b) => a - b)) points.push({ policy, share });
  }
  return points;
}

/** Tests a model at every point and records a row for each. */
export async function testAndRecord(
  context: TaskContext,
  config: TruncationConfig,
  unit: Unit,
  trained: Policy,
  { model, prepared, scorer, training }: {
    model: Bert;
    prepared: PreparedUnit;
    scorer: Scorer;
    training: FineTuning;
  },
): Promise<void> {
  const { specials, pad } = prepared.tokenizer;
  const points = testPoints(config, unit, trained);
  for (const [i, { policy, share }] of points.entries()) {
    const documents = prepared.test.map((document) =>
      truncateDocument(scorer, document, "test", policy, share, specials)
    );
    const quality = qualityOf(
      await predict(context, model, documents.map((ids) => ({ ids })), pad),
      prepared.test.map(({ label }) => label),
    );
    const paired = policy === "none" || share === config.trainShare &&
        (policy === trained || trained === "none");
    context.record({
      variant: trained,
      params: {
        part: "matrix",
        task: unit.task.name,
        fold: unit.fold,
        seed: unit.seed,
        test: policy,
        share,
      },
      implementation: {
        form: "fused",
        label: "dense",
        parameters: model.parameters.trainableCount,
      },
      memoryBytes: i === 0 ? { peak: training.peakBytes } : null,
      metrics: [
        ...qualityMetrics(quality, unit.seed),
        {
          metric: "kept-tokens",
          unit: "tokens/document",
          value: documents.reduce((sum, ids) => sum + ids.length, 0) / documents.length,
          seed: unit.seed,
        },
        ...(i === 0
          ? [{
            metric: "training-time",
            unit: "s",
            value: training.seconds,
            better: "lower" as const,
            seed: unit.seed,
          }]
          : []),
      ],
      curves: [
        ...(i === 0
          ? [{
            name: "training loss",
            xLabel: "step",
            yLabel: "loss (nats)",
            seed: unit.seed,
            points: training.losses,
          }]
          : []),
        ...(paired && unit.fold === 0 ? [correctCurve(quality, unit.seed)] : []),
      ],
    });
    context.progress((i + 1) / points.length, `${trained}: tested ${policy} ${share}`);
  }
}

/** Accuracy and macro-F1 of the test split. */
export function qualityMetrics(
  { accuracy, macroF1, correct }: Quality,
  seed: number,
): NonNullable<CellInput["metrics"]> {
  const common = { unit: "1", better: "higher" as const, split: "test", seed, n: correct.length };
  return [
    { metric: "accuracy", value: accuracy, ...common },
    { metric: "macro-f1", value: macroF1, ...common },
  ];
}

/** Which documents were right: what paired comparisons are made from. */
export function correctCurve(
  { correct }: Quality,
  seed: number,
): NonNullable<CellInput["curves"]>[number] {
  return {
    name: "correct",
    xLabel: "document",
    yLabel: "1 where right",
    seed,
    points: correct.map((right, i): [number, number] => [i, right ? 1 : 0]),
  };
}
