import { type Tensor, uniformAt } from "../../engine/mod.ts";
import {
  auditCausality,
  auditGradients,
  joinArrays,
  largestDifference,
  makeAudit,
} from "../../harness/audits/mod.ts";
import type { TaskContext } from "../../harness/contract.ts";
import {
  growProgressive,
  inheritedParameter,
  type LanguageModel,
  ProgressiveDiverging,
  type Stage,
} from "../../models/mod.ts";
import { AdamW, growOptimizer } from "../../train/mod.ts";
import { type ConvAttentionBenchConfig, convAttentionConfigSchema, horizonOf } from "./config.ts";
import { buildModel, buildProgressive, lengthOf, targetDistance } from "./models.ts";
import { auditTargetLeak } from "./target_leak.ts";
import { planOf, type Variant } from "./variants.ts";

const VOCABULARY = 61;
const BATCH = 2;
/** Larger than in training, so that activations are far from the epsilon of the norms, where finite differences say nothing. */
const INITIALIZER_RANGE = 0.1;
/** Largest distance of merged from unmerged logits (the claim of the specification). */
const MERGE_THRESHOLD = 1e-5;
/** Largest change of a logit by a stage switch (the claim of the specification). */
const SWITCH_THRESHOLD = 1e-6;

/** Variants that differ in what they compute; the others are one of these with other sizes. */
export const AUDITED: readonly Variant[] = [
  "gpt2",
  "gpt2_horizon",
  "conv_attention",
  "conv_attention_causal",
  "progressive_diverging",
  "progressive_no_lora",
];

/** The configuration with small models of the same factor and levels, so that every position can be tried. */
function auditConfig(config: ConvAttentionBenchConfig): ConvAttentionBenchConfig {
  const horizon = horizonOf(config);
  return convAttentionConfigSchema.parse({
    ...config,
    training: { ...config.training, blockLength: 4 * horizon },
    model: {
      baseLength: 2 * horizon,
      width: 16,
      heads: 2,
      layers: 4,
      initializerRange: INITIALIZER_RANGE,
    },
    conv: { ...config.conv, width: 8, vocabMultiple: 1 },
    progressive: { ...config.progressive, rank: 3, alpha: 6 },
  });
}

/** Runs every audit of one variant; the progressive ones in each stage. */
export async function runAuditTask(
  context: TaskContext,
  full: ConvAttentionBenchConfig,
  variant: Variant,
): Promise<void> {
  const config = auditConfig(full);
  const { family } = planOf(variant);
  const stages: Stage[] = family === "progressive" ? [1, 2, 3] : [3];
  for (const stage of stages) {
    context.signal.throwIfAborted();
    const subject = family === "progressive" ? `${variant} stage ${stage}` : variant;
    const model = buildModel(
      context.gpu,
      config,
      variant,
      VOCABULARY,
      context.seed("audit"),
      { stage },
    );
    try {
      await visibility(context, config, variant, model, subject);
      await gradients(context, config, variant, model, subject);
    } finally {
      model.dispose();
    }
    context.progress(stage / (stages.length + 1), subject);
  }
  if (family === "progressive") await switches(context, config, variant);
}

function tokens(context: TaskContext, count: number, stream: number): Int32Array {
  const seed = context.seed("audit tokens");
  return Int32Array.from(
    { length: count },
    (_, i) => Math.floor(uniformAt(seed, stream, i) * VOCABULARY),
  );
}

/** What an output can see: the causality audit of the suite, and whether outputs see their own targets. */
async function visibility(
  context: TaskContext,
  config: ConvAttentionBenchConfig,
  variant: Variant,
  model: LanguageModel,
  subject: string,
): Promise<void> {
  const { gpu } = context;
  const length = lengthOf(config, variant);
  const ids = gpu.tensor(new Int32Array(BATCH * length), [BATCH, length]).keep();
  const options = {
    subject,
    batch: BATCH,
    length,
    vocabulary: VOCABULARY,
    seed: context.seed("causality"),
    forward: (changed: Int32Array) => {
      gpu.upload(ids, changed);
      return gpu.scope(() => gpu.withoutTape(() => gpu.readFloats(model.logits(ids))));
    },
  };
  try {
    context.audit(await auditCausality(options));
    context.audit(
      await auditTargetLeak({ ...options, distance: targetDistance(config, variant) }),
    );
  } finally {
    ids.dispose();
  }
}

async function gradients(
  context: TaskContext,
  config: ConvAttentionBenchConfig,
  variant: Variant,
  model: LanguageModel,
  subject: string,
): Promise<void> {
  const { gpu } = context;
  const length = lengthOf(config, variant);
  const parameters = [...model.parameters].filter((p) => p.trainable);
  const start = await Promise.all(parameters.map((p) => gpu.readFloats(p)));
  const ids = gpu.tensor(tokens(context, length, 0), [1, length]).keep();
  const targets = gpu.tensor(tokens(context, length, 1), [1, length]).keep();
  const set = (flat: Float32Array) => {
    let at = 0;
    for (const p of parameters) gpu.upload(p, flat.slice(at, at += p.size));
  };
  try {
    context.audit(
      await auditGradients({
        subject,
        parameters: joinArrays(start),
        seed: context.seed("gradients"),
        loss: async (flat) => {
          set(flat);
          const loss = gpu.scope(() =>
            gpu.withoutTape(() => gpu.readFloats(model.loss(ids, targets)))
          );
          return (await loss)[0];
        },
        gradient: async (flat) => {
          set(flat);
          gpu.scope(() => gpu.withTape((tape) => tape.backward(model.loss(ids, targets))));
          const values = await Promise.all(parameters.map((p) => gpu.readFloats(p.gradient)));
          model.parameters.clearGradients();
          return joinArrays(values);
        },
      }),
    );
  } finally {
    ids.dispose();
    targets.dispose();
  }
}

/** Trains a little in each stage, then holds the grown model against the one before, and the merged form against the unmerged. */
async function switches(
  context: TaskContext,
  config: ConvAttentionBenchConfig,
  variant: Variant,
): Promise<void> {
  const { gpu } = context;
  const length = lengthOf(config, variant);
  const ids = gpu.tensor(tokens(context, length, 0), [1, length]).keep();
  const targets = gpu.tensor(tokens(context, length, 1), [1, length]).keep();
  const logits = (body: () => Tensor) =>
    gpu.scope(() => gpu.withoutTape(() => gpu.readFloats(body())));
  const seed = context.seed("audit");
  let model = buildProgressive(gpu, config, variant, VOCABULARY, seed, { stage: 1 });
  let optimizer = new AdamW(model.parameters, { clipNorm: 1 });
  const learn = () => {
    for (let i = 0; i < 3; i++) {
      gpu.scope(() => gpu.withTape((tape) => tape.backward(model.loss(ids, targets))));
      optimizer.step(1e-2);
    }
  };
  try {
    for (const stage of [2, 3] as const) {
      learn();
      const before = await logits(() => model.logits(ids));
      const grown = growProgressive(model, seed);
      const carried = growOptimizer(
        optimizer,
        grown.parameters,
        (name) => inheritedParameter(name, stage),
      );
      optimizer.dispose();
      model.dispose();
      [model, optimizer] = [grown, carried];
      const after = await logits(() => model.logits(ids));
      learn();
      const later = await logits(() => model.logits(ids));
      context.audit(makeAudit({
        id: "stage-switch",
        subject: `${variant} stage ${stage - 1} to ${stage}`,
        evidence: { n: before.length, statistic: largestDifference(after, before) },
        threshold: SWITCH_THRESHOLD,
        canaries: [{ n: before.length, statistic: largestDifference(later, before) }],
        compared: "logits just after growing against those just before, largest difference",
      }));
    }
    if (planOf(variant).lora) await merging(context, variant, model, ids, logits);
  } finally {
    for (const part of [ids, targets, model, optimizer]) part.dispose();
  }
}

async function merging(
  context: TaskContext,
  variant: Variant,
  model: ProgressiveDiverging,
  ids: Tensor,
  logits: (body: () => Tensor) => Promise<Float32Array>,
): Promise<void> {
  const unmerged = await logits(() => model.logits(ids));
  const inference = model.merge();
  const merged = await logits(() => inference.logits(ids));
  inference.dispose();
  const broken = merged.slice();
  broken[broken.length >> 1] += 10 * MERGE_THRESHOLD;
  context.audit(makeAudit({
    id: "merged-lora",
    subject: variant,
    evidence: { n: merged.length, statistic: largestDifference(merged, unmerged) },
    threshold: MERGE_THRESHOLD,
    canaries: [{ n: merged.length, statistic: largestDifference(broken, unmerged) }],
    compared: "logits with the branches merged into one attention against the unmerged model",
  }));
}
