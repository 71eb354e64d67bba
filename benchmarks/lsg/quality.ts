import { ANSWER_POSITIONS } from "../../data/mod.ts";
import type { CellInput, TaskContext } from "../../harness/contract.ts";
import { makeAudit } from "../../harness/audits/mod.ts";
import { mean } from "../../harness/statistics/mod.ts";
import type { Bert } from "../../models/mod.ts";
import { fineTune, type FineTuning } from "../encoder_training/fine_tune.ts";
import { saveEncoder } from "../encoder_training/masked_pretraining.ts";
import { qualityOf } from "../encoder_training/quality.ts";
import { answerInputs, taskLoss } from "./answers.ts";
import type { LsgConfig } from "./config.ts";
import type { LongInput } from "./encode_inputs.ts";
import { buildModel, prepareEncoder } from "./encoder.ts";
import { type PreparedUnit, prepareUnit } from "./prepare.ts";
import { type Unit, unitName, weightsArtifact } from "./unit.ts";
import { parseVariant } from "./variants.ts";

/** Pretrains the encoder of a unit, trains it with full attention where the task asks for that, and audits the split. */
export async function runPrepareTask(
  context: TaskContext,
  config: LsgConfig,
  unit: Unit,
): Promise<void> {
  const prepared = await prepareUnit(context, config, unit);
  auditLeakage(context, unit, prepared);
  const losses = await prepareEncoder(context, config, unit, prepared);
  const { base, length } = unit.task;
  const training = base
    ? await (async () => {
      const request = { from: "pretrained", attention: "fused", length } as const;
      const model = await buildModel(context, config, unit, prepared, request);
      try {
        const trained = await trainModel(context, unit, prepared, model, base, "base");
        await context.artifacts.write(weightsArtifact(unit, "base"), await saveEncoder(model));
        return trained;
      } finally {
        model.dispose();
      }
    })()
    : undefined;
  context.record({
    variant: "full",
    params: { part: "prepare", task: unit.task.name, seed: unit.seed },
    implementation: { form: "fused", label: "dense" },
    metrics: [
      { metric: "train-documents", unit: "1", value: prepared.train(0).length },
      { metric: "test-documents", unit: "1", value: prepared.test.length },
      { metric: "test-tokens", unit: "tokens/document", value: meanLength(prepared.test) },
      { metric: "majority-share", unit: "1", value: majorityShare(prepared.test) },
      { metric: "duplicates", unit: "1", value: prepared.documents.duplicates },
      ...(losses.length > 0
        ? [{ metric: "pretraining-loss", unit: "nats/token", value: losses.at(-1)![1] }]
        : []),
    ],
    curves: [lossCurve("pretraining loss", losses, unit.seed)]
      .concat(training ? [lossCurve("training loss", training.losses, unit.seed)] : []),
  });
}

/** Exchanges the attention of a unit's model, tests it as it is, trains it and tests it again. */
export async function runVariantTask(
  context: TaskContext,
  config: LsgConfig,
  unit: Unit,
  name: string,
): Promise<void> {
  const prepared = await prepareUnit(context, config, unit);
  const { base, training, length } = unit.task;
  const variant = parseVariant(name);
  const model = await buildModel(context, config, unit, prepared, {
    from: base ? "base" : "pretrained",
    attention: variant.attention(config.globals),
    length,
  });
  const record = async (stage: "exchanged" | "trained", trained?: FineTuning) => {
    const answers = await answerInputs(context, model, prepared.test, prepared.tokenizer.pad);
    context.record({
      variant: name,
      params: { part: "quality", task: unit.task.name, seed: unit.seed, stage },
      implementation: {
        ...{ form: variant.form, label: variant.label },
        parameters: model.parameters.trainableCount,
      },
      memoryBytes: trained ? { peak: trained.peakBytes } : null,
      metrics: [
        ...answerMetrics(prepared.test, answers, unit.seed),
        ...(trained
          ? [{ metric: "training-time", unit: "s", value: trained.seconds, seed: unit.seed }]
          : []),
      ],
      curves: [
        correctCurve(answers.correct, unit.seed),
        ...(trained ? [lossCurve("training loss", trained.losses, unit.seed)] : []),
      ],
    });
  };
  try {
    if (base) await record("exchanged");
    // Other draws than those of the base.
    const documents = (epoch: number) =>
      prepared.train((base?.epochs ?? 0) + epoch).slice(0, unit.task.variantLimit ?? undefined);
    await record(
      "trained",
      await trainModel(context, unit, prepared, model, training, name, documents),
    );
  } finally {
    model.dispose();
  }
}

/** Trains a model on a unit's documents. All variants see them in the same order. */
export function trainModel(
  context: TaskContext,
  unit: Unit,
  { tokenizer, ...prepared }: PreparedUnit,
  model: Bert,
  settings: NonNullable<Unit["task"]["base"]>,
  label: string,
  documents: (epoch: number) => readonly LongInput[] = prepared.train,
): Promise<FineTuning> {
  const count = documents(0).length;
  return fineTune(context, settings, {
    ...{ model, label, loss: taskLoss, documents, count, padId: tokenizer.pad },
    seed: context.seed(`batches/${unitName(unit)}`),
  });
}

/** Accuracy with its slices by the place of the answer, and macro-F1 where there are classes. */
export function answerMetrics(
  inputs: readonly LongInput[],
  { predicted, correct }: { predicted: Int32Array; correct: readonly boolean[] },
  seed: number,
): NonNullable<CellInput["metrics"]> {
  const share = (at: readonly boolean[]) => at.length > 0 ? mean(at.map(Number)) : null;
  const slices = Object.fromEntries(
    inputs[0].position === undefined ? [] : ANSWER_POSITIONS.map((position) => [
      position,
      share(correct.filter((_, i) => inputs[i].position === position)),
    ]),
  );
  const common = { unit: "1", better: "higher" as const, split: "test", seed, n: inputs.length };
  return [
    { metric: "accuracy", value: share(correct), slices, ...common },
    ...(inputs[0].span ? [] : [{
      metric: "macro-f1",
      value: qualityOf(predicted, inputs.map(({ label }) => label)).macroF1,
      ...common,
    }]),
  ];
}

/** Which inputs were right: what paired comparisons are made from. */
export function correctCurve(correct: readonly boolean[], seed: number) {
  return {
    ...{ name: "correct", xLabel: "document", yLabel: "1 where right", seed },
    points: correct.map((right, i): [number, number] => [i, right ? 1 : 0]),
  };
}

export function lossCurve(name: string, points: [number, number][], seed: number) {
  return { name, xLabel: "step", yLabel: "loss (nats)", seed, points };
}

/** Accuracy of naming the most frequent class; null where answers are spans. */
function majorityShare(inputs: readonly LongInput[]): number | null {
  if (inputs[0].span) return null;
  const sizes = [...Map.groupBy(inputs, ({ label }) => label).values()].map((of) => of.length);
  return Math.max(...sizes) / inputs.length;
}

function meanLength(inputs: readonly LongInput[]): number {
  return mean(inputs.map(({ ids }) => ids.length));
}

/** No test input may be among the training inputs; a planted one must be found. */
function auditLeakage(context: TaskContext, unit: Unit, { train, test }: PreparedUnit): void {
  const key = ({ ids }: LongInput) => ids.join();
  const evidence = (seen: ReadonlySet<string>) => ({
    n: test.length,
    statistic: test.filter((input) => seen.has(key(input))).length,
  });
  const known = new Set(train(0).map(key));
  context.audit(makeAudit({
    ...{ id: "leakage", subject: unitName(unit), threshold: 0 },
    evidence: evidence(known),
    canaries: [evidence(new Set([...known, key(test[0])]))],
    compared: `test inputs among the ${known.size} training inputs, token by token`,
  }));
}
