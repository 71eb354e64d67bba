import { shuffledIndices } from "../../data/mod.ts";
import type { TaskContext } from "../../harness/contract.ts";
import type { Bert, EncoderAttention } from "../../models/mod.ts";
import type { FineTuning } from "../encoder_training/fine_tune.ts";
import { saveEncoder } from "../encoder_training/masked_pretraining.ts";
import { answerInputs } from "./answers.ts";
import type { LsgConfig } from "./config.ts";
import type { LongInput } from "./encode_inputs.ts";
import { buildModel, prepareEncoder } from "./encoder.ts";
import { type PreparedUnit, prepareUnit } from "./prepare.ts";
import { answerMetrics, correctCurve, trainModel } from "./quality.ts";
import { type Unit, weightsArtifact } from "./unit.ts";
import { parseVariant } from "./variants.ts";

/** How the long documents are read, in order. */
export const STAGES = ["truncated", "tiled-full", "zero-shot", "adapted"] as const;
export type Stage = typeof STAGES[number];

/** The unit whose documents are `factor` times as long as the source's positions. */
export function extrapolationUnit(
  { extrapolation, encoder }: LsgConfig,
  seed: number,
): Unit {
  const { factor, trainLimit, testLimit, training } = extrapolation!;
  const length = factor * encoder.positions;
  return {
    ...{ seed, long: true },
    task: {
      ...{ name: "union-periods", length, trainLimit, testLimit, training },
      ...{ base: null, variantLimit: null, fields: 1 },
    },
  };
}

/**
 * Trains a model with full attention on pieces as long as its positions, and reads documents several times as long: cut to the
 * source's length, with tiled positions and full attention, converted without training, and after training nothing but the global
 * embeddings and the head.
 */
export async function runExtrapolationTask(
  context: TaskContext,
  config: LsgConfig,
  seed: number,
): Promise<void> {
  const { extrapolation, encoder } = config;
  const { variant: name, globals, adaptation, adaptLimit } = extrapolation!;
  const unit = extrapolationUnit(config, seed);
  const prepared = await prepareUnit(context, config, unit);
  const P = encoder.positions;
  await prepareEncoder(context, config, unit, prepared);
  const base = await buildModel(context, config, unit, prepared, {
    from: "pretrained",
    attention: "fused",
    length: P,
  });
  const report = reporter(context, unit, prepared, name);
  try {
    const pieces = (epoch: number) =>
      prepared.train(0).map((input, i) => pieceOf(input, P, epoch * 977 + i));
    const trained = await trainModel(
      ...[context, unit, prepared, base, extrapolation!.training, "source"] as const,
      pieces,
    );
    await context.artifacts.write(weightsArtifact(unit, "base"), await saveEncoder(base));
    const cut = prepared.test.map((input) => pieceOf(input, P, 0));
    await report("truncated", base, cut, trained);
  } finally {
    base.dispose();
  }
  const attention = parseVariant(name).attention(globals);
  const { length } = unit.task;
  const forms: [Stage, EncoderAttention][] = [["tiled-full", "fused"], ["zero-shot", attention]];
  for (const [stage, form] of forms) {
    const request = { from: "base", attention: form, length } as const;
    const model = await buildModel(context, config, unit, prepared, request);
    await report(stage, model, prepared.test).finally(() => model.dispose());
  }
  const model = await buildModel(context, config, unit, prepared, {
    ...{ from: "base", attention, length },
    trainable: (parameter) =>
      parameter === "embeddings.globals" || /^(?:pooler|classifier)\./.test(parameter),
  });
  try {
    const order = shuffledIndices(prepared.train(0).length, context.seed("adaptation"), seed);
    const some = Array.from(order.subarray(0, adaptLimit), (i) => prepared.train(0)[i]);
    const adapted = await trainModel(
      ...[context, unit, prepared, model, adaptation, "adaptation", () => some] as const,
    );
    await report("adapted", model, prepared.test, adapted);
  } finally {
    model.dispose();
  }
}

/** A piece of at most `length` tokens with the same first and last token; the number chooses which, 0 the first. */
export function pieceOf(input: LongInput, length: number, number: number): LongInput {
  const { ids } = input;
  if (ids.length <= length) return input;
  const inner = length - 2;
  const pieces = Math.floor((ids.length - 2) / inner);
  const start = 1 + number % pieces * inner;
  return {
    ...input,
    ids: Int32Array.of(ids[0], ...ids.subarray(start, start + inner), ids.at(-1)!),
  };
}

function reporter(
  context: TaskContext,
  { seed, task }: Unit,
  prepared: PreparedUnit,
  name: string,
) {
  return async (
    stage: Stage,
    model: Bert,
    inputs: readonly LongInput[],
    trained?: FineTuning,
  ) => {
    const answers = await answerInputs(context, model, inputs, prepared.tokenizer.pad);
    const sparse = stage === "zero-shot" || stage === "adapted";
    context.record({
      variant: sparse ? name : "full",
      params: { part: "extrapolation", task: task.name, seed, stage },
      implementation: {
        ...{ form: "fused", label: sparse ? "truly-sparse" : "dense" },
        parameters: model.parameters.trainableCount,
      },
      metrics: [
        ...answerMetrics(inputs, answers, seed),
        {
          metric: "test-tokens",
          unit: "tokens/document",
          value: inputs.reduce((sum, { ids }) => sum + ids.length, 0) / inputs.length,
        },
        ...(trained ? [{ metric: "training-time", unit: "s", value: trained.seconds, seed }] : []),
      ],
      curves: [correctCurve(answers.correct, seed)],
    });
  };
}
