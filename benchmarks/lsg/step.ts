import { uniformAt } from "../../engine/mod.ts";
import type { TaskContext } from "../../harness/contract.ts";
import { Bert } from "../../models/mod.ts";
import { AdamW } from "../../train/mod.ts";
import type { LsgConfig } from "./config.ts";
import { type Contestant, prepareContestant, timeAndRecord, type Work } from "./contestants.ts";
import { implementationOf, parseVariant, type Variant } from "./variants.ts";

/** Seconds and peak bytes of a training step of a binary classifier, every variant interleaved with the others. */
export async function runStepTask(
  context: TaskContext,
  config: LsgConfig,
  withDropout: boolean,
): Promise<void> {
  const step = config.step!;
  const contestants: Contestant[] = [];
  try {
    for (const [i, name] of step.variants.entries()) {
      context.signal.throwIfAborted();
      const variant = parseVariant(name);
      const row = {
        variant: name,
        params: {
          part: "step",
          T: step.length,
          batchSize: step.batchSize,
          attentionDropout: withDropout,
        },
        ...implementationOf(variant, config.globals, step.length),
      };
      const build = () => buildStep(context, config, variant, withDropout);
      contestants.push(await prepareContestant(context, row, { name, phase: "step" }, build));
      context.progress(0.3 * (i + 1) / step.variants.length, name);
    }
    await timeAndRecord(context, contestants, step);
  } finally {
    for (const { work } of contestants) work?.dispose();
  }
}

/** Model, optimizer and batch, run once alone: the peak holds weights, gradients, moments and activations. */
async function buildStep(
  context: TaskContext,
  { step, globals }: LsgConfig,
  variant: Variant,
  withDropout: boolean,
): Promise<Work> {
  const { gpu } = context;
  const { width, heads, layers, vocabSize, batchSize, length, attentionDropout } = step!;
  await gpu.idle();
  gpu.memory.resetPeak();
  const before = gpu.memory.liveBytes;
  const model = new Bert(gpu, {
    ...{ width, heads, layers, vocabSize, positions: length, classes: 2 },
    attention: variant.attention(globals),
    attentionDropout: withDropout ? attentionDropout : 0,
    dropout: 0,
  }, context.seed("step"));
  const optimizer = new AdamW(model.parameters, { clipNorm: 1 });
  const draw = (count: number, below: number, stream: number) =>
    Int32Array.from({ length: count }, (_, i) => Math.floor(uniformAt(1, stream, i) * below));
  const ids = gpu.tensor(draw(batchSize * length, vocabSize, 0), [batchSize, length]).keep();
  const labels = gpu.tensor(draw(batchSize, 2, 1), [batchSize]).keep();
  const dispose = () => [optimizer, model, ids, labels].forEach((part) => part.dispose());
  const run = () => {
    gpu.scope(() =>
      gpu.withTape((tape) =>
        tape.backward(model.classificationLoss(ids, labels, { dropoutSeed: 7 }))
      )
    );
    optimizer.step(1e-5);
  };
  try {
    run();
    await gpu.idle();
  } catch (error) {
    dispose();
    throw error;
  }
  const { forward, backward } = model.flops(batchSize, length);
  return {
    ...{ run, dispose, flops: forward + backward },
    peak: gpu.memory.peakBytes - before,
    parameters: model.parameters.trainableCount,
  };
}
