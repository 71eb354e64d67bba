import type { TaskContext } from "../../harness/contract.ts";
import { openLanguageData } from "../language_modelling/open_data.ts";
import type { LeapBenchConfig, Variant } from "./config.ts";
import { buildModel } from "./models.ts";
import { qualityMetrics, testModel, trainConfigured } from "./training.ts";

/** Variants of the scaling law: the baseline and the source's default revision. */
export function scalingVariants(config: LeapBenchConfig): Variant[] {
  return config.variants.filter((v) => v === "gpt2" || v === "leap-2022-08");
}

/** Trains one size on tokens in proportion to its parameters; the fits over sizes are in compare.ts. */
export async function runScalingTask(
  context: TaskContext,
  config: LeapBenchConfig,
  variant: Variant,
  size: { width: number; layers: number },
): Promise<void> {
  const { gpu } = context;
  const { heads, tokensPerParameter, maxSteps } = config.scaling!;
  const { training } = config;
  const data = await openLanguageData(context, config.data, training.blockLength);
  const sizes = {
    ...size,
    heads,
    vocabSize: data.tokenizer.vocabSize,
    positions: training.blockLength,
  };
  const model = buildModel(gpu, variant, sizes, context.seed("scaling"));
  try {
    // The tables are lookups: the law is in the parameters that compute (Kaplan et al. 2020, section 2.1).
    const computing = model.parameters.trainableCount - model.tableParameters;
    const tokensPerStep = training.blockLength * training.batchSize * training.accumulate;
    const wanted = Math.ceil(tokensPerParameter * model.parameters.trainableCount / tokensPerStep);
    const steps = Math.max(2, Math.min(wanted, maxSteps));
    const name = `scaling-${variant}-${size.width}x${size.layers}`;
    const history = await trainConfigured(context, model, data, { ...training, evaluations: 2 }, {
      name,
      dataSeed: context.seed("scaling data"),
      steps,
    });
    const test = await testModel(context, model, data, training, "test");
    const { forward, backward } = model.flops(
      training.batchSize * training.accumulate,
      training.blockLength,
    );
    context.record({
      variant,
      params: { width: size.width, layers: size.layers },
      implementation: {
        form: "fused",
        label: variant === "gpt2" ? "dense" : "linear",
        parameters: model.parameters.trainableCount,
      },
      cost: { flops: steps * (forward + backward), bytes: null, phase: "training" },
      metrics: [
        ...qualityMetrics(test, 0, "test"),
        { metric: "computing-parameters", unit: "1", value: computing },
        { metric: "training-tokens", unit: "tokens", value: steps * tokensPerStep },
        { metric: "training-time", unit: "s", value: history.seconds, better: "lower" },
      ],
      notes: steps < wanted ? [`Steps cut from ${wanted} to scaling.maxSteps (${maxSteps}).`] : [],
    });
    await context.artifacts.remove(`${name}.checkpoint`);
  } finally {
    model.dispose();
  }
}
