import { type Tensor, uniformAt } from "../../engine/mod.ts";
import type { CellInput, TaskContext } from "../../harness/contract.ts";
import { attend, encoderAttentionFlops, prependedGlobals } from "../../models/encoder_attention.ts";
import { Bert, type EncoderAttention } from "../../models/mod.ts";
import { peakOf } from "../encoder_training/peak_of.ts";
import { drawQkv } from "./attention_case.ts";
import type { LsgConfig } from "./config.ts";
import {
  type Contestant,
  prepareContestant,
  recordSkipped,
  timeAndRecord,
  type Work,
} from "./contestants.ts";
import { selectionRun } from "./selection.ts";
import { fallsBack, implementationOf, parseVariant, type Variant } from "./variants.ts";

/** What a sweep is over. */
export type ScalingPart = "attention" | "encoder";

export const SCALING_PHASE = "forward+backward";
export const SELECTION_PHASE = "selection";

/** Times forward + backward of every variant at one length, interleaved, with the peak bytes of each run alone. */
export async function runScalingTask(
  context: TaskContext,
  config: LsgConfig,
  part: ScalingPart,
  T: number,
): Promise<void> {
  const scaling = config.scaling!;
  const contestants: Contestant[] = [];
  try {
    for (const name of scaling[part]!.variants) {
      context.signal.throwIfAborted();
      const variant = parseVariant(name);
      const row: CellInput = {
        variant: name,
        params: { part: `scaling-${part}`, T },
        ...implementationOf(variant, config.globals, T),
      };
      const limit = limitOf(config, variant);
      if (T > limit) {
        recordSkipped(context, row, `not tried above T ${limit}`);
        continue;
      }
      const build = () =>
        part === "attention"
          ? buildAttention(context, config, variant, T)
          : buildEncoder(context, config, variant, T);
      contestants.push(
        await prepareContestant(context, row, { name, phase: SCALING_PHASE }, build),
      );
      const attention = variant.attention(config.globals);
      const timesSelection = part === "attention" && variant.family === "lsg" &&
        variant.form === "fused" && !fallsBack(attention, T);
      if (timesSelection) {
        const input = qkvOf(context, config, attention, T);
        const selection = selectionRun(input, attention);
        if (!selection) {
          input.dispose();
          continue;
        }
        contestants.push({
          row: { ...row, params: { part: "selection", T } },
          name: `${name} selection`,
          phase: SELECTION_PHASE,
          work: {
            run: selection,
            flops: null,
            peak: await peakOf(context, selection),
            dispose: () => input.dispose(),
          },
        });
      }
    }
    await timeAndRecord(context, contestants, scaling);
  } finally {
    for (const { work } of contestants) work?.dispose();
  }
}

/** Longest T at which a form is tried. */
function limitOf({ scaling }: LsgConfig, { form, family }: Variant): number {
  if (form === "naive") return scaling!.naiveLimit;
  return family === "full" ? scaling!.fullLimit : Infinity;
}

/** Seeded qkv [1, N, 3, H, d]. */
function qkvOf(
  { gpu }: TaskContext,
  { scaling }: LsgConfig,
  attention: EncoderAttention,
  T: number,
): Tensor {
  const { heads: H, headWidth: d } = scaling!.attention;
  const N = T + prependedGlobals(attention);
  const input = gpu.tensor(drawQkv({ B: 1, N, H, d }, 1), [1, N, 3, H, d]).keep();
  input.requiresGrad = true;
  return input;
}

async function buildAttention(
  context: TaskContext,
  config: LsgConfig,
  variant: Variant,
  T: number,
): Promise<Work> {
  const { gpu } = context;
  const attention = variant.attention(config.globals);
  const { heads: H, headWidth: d } = config.scaling!.attention;
  const input = qkvOf(context, config, attention, T);
  const upstream = gpu.full([1, input.dim(1), H, d], 1 / T).keep();
  const run = () =>
    gpu.scope(() =>
      gpu.withTape((tape) =>
        void tape.backward(attend(input, { heads: H, attention, layer: 0 }), upstream, [input])
      )
    );
  const dispose = () => [input, upstream].forEach((t) => t.dispose());
  const { forward, backward } = encoderAttentionFlops(attention, { B: 1, H, T, d });
  try {
    return { run, dispose, flops: forward + backward, peak: await peakOf(context, run) };
  } catch (error) {
    dispose();
    throw error;
  }
}

async function buildEncoder(
  context: TaskContext,
  config: LsgConfig,
  variant: Variant,
  T: number,
): Promise<Work> {
  const { gpu } = context;
  const { width, heads, layers, vocabSize } = config.scaling!.encoder!;
  const model = new Bert(gpu, {
    ...{ width, heads, layers, vocabSize, positions: T, classes: 2 },
    attention: variant.attention(config.globals),
  }, context.seed("scaling"));
  const ids = gpu.tensor(
    Int32Array.from({ length: T }, (_, i) => Math.floor(uniformAt(1, 0, i) * vocabSize)),
    [1, T],
  ).keep();
  const labels = gpu.tensor(Int32Array.of(1), [1]).keep();
  const run = () => {
    gpu.scope(() => gpu.withTape((tape) => tape.backward(model.classificationLoss(ids, labels))));
    model.parameters.clearGradients();
  };
  const dispose = () => [model, ids, labels].forEach((part) => part.dispose());
  const { forward, backward } = model.flops(1, T);
  const values = model.parameters.trainableCount;
  try {
    return {
      ...{ run, dispose, flops: forward + backward, parameters: values },
      peak: await peakOf(context, run),
      // Values, gradients and two moments of AdamW: what training holds besides.
      metrics: [{ metric: "weight-bytes", unit: "bytes", value: 16 * values }],
    };
  } catch (error) {
    dispose();
    throw error;
  }
}
