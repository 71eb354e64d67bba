import { leapImportance } from "../../attention/mod.ts";
import { reshape, type Tensor, uniformAt } from "../../engine/mod.ts";
import type { TaskContext } from "../../harness/contract.ts";
import type { Leap } from "../../models/mod.ts";
import { loadCheckpoint } from "../../train/mod.ts";
import { openLanguageData } from "../language_modelling/open_data.ts";
import type { LeapBenchConfig, Variant } from "./config.ts";
import { buildLeap } from "./models.ts";
import { weightsArtifact } from "./training.ts";

/** Tokens shown in the report's heat map; the attachment has all. */
const HEAT_MAP_TOKENS = 48;

/** Which tokens a masking removes. */
const CHOICES = ["top", "bottom", "random"] as const;

/**
 * Explainability of a trained LEAP: the importance of each token, and whether it is faithful: the loss must rise more when the most
 * important tokens are masked than when as many random ones or the least important ones are.
 */
export async function runExplainTask(
  context: TaskContext,
  config: LeapBenchConfig,
  variant: Exclude<Variant, "gpt2">,
): Promise<void> {
  const { gpu } = context;
  const weights = await context.artifacts.read(weightsArtifact(variant, 0));
  if (!weights) {
    context.record({
      variant,
      status: "skipped",
      reasons: [{
        code: "missing-data",
        message:
          "the trained weights of seed 0 are missing; run the training tasks in the same run",
      }],
    });
    return;
  }
  const { blocks, fractions, randomDraws } = config.explain!;
  const T = config.training.blockLength;
  const data = await openLanguageData(context, config.data, T);
  const sizes = { ...config.model, vocabSize: data.tokenizer.vocabSize, positions: T };
  const model = buildLeap(gpu, variant, sizes, 0);
  try {
    await loadCheckpoint(weights, model.parameters);
    const examples: { ids: Int32Array; targets: Int32Array; importance: Float32Array }[] = [];
    for (const batch of (await data.split("test")).batches({ batchSize: 1, shuffle: false })) {
      if (examples.length >= blocks) break;
      examples.push({
        ids: batch.inputs,
        targets: batch.targets,
        importance: await tokenImportance(model, batch.inputs),
      });
    }
    await attachImportance(
      context,
      model,
      variant,
      examples[0],
      (id) => data.tokenizer.decode([id]),
    );
    const full = await maskedLoss(context, model, examples, () => null);
    for (const fraction of fractions) {
      const count = Math.max(1, Math.round(fraction * T));
      for (const choice of CHOICES) {
        const draws = choice === "random" ? randomDraws : 1;
        const losses: number[] = [];
        for (let draw = 0; draw < draws; draw++) {
          losses.push(
            await maskedLoss(
              context,
              model,
              examples,
              (example, i) =>
                chooseTokens(context, choice, example.importance, count, draw * blocks + i),
            ),
          );
        }
        losses.forEach((loss, draw) =>
          context.record({
            variant,
            params: { fraction, masked: choice, draw },
            implementation: { form: "fused", label: "linear" },
            metrics: [
              {
                metric: "masked-loss",
                unit: "nats/token",
                value: loss,
                split: "test",
                n: examples.length * T,
              },
              {
                metric: "loss-change",
                unit: "nats/token",
                value: loss - full,
                split: "test",
                n: examples.length * T,
              },
            ],
          })
        );
      }
      context.progress((fractions.indexOf(fraction) + 1) / fractions.length, `masking ${fraction}`);
    }
  } finally {
    model.dispose();
  }
}

/**
 * Importance of each token of one block [T]: its share of all weights of the block, summed over layers and heads. Shares inside the
 * layer's own window would compare each token with its neighbours only.
 */
async function tokenImportance(model: Leap, ids: Int32Array): Promise<Float32Array> {
  const layers = await layerImportance(model, ids, "block");
  const T = ids.length;
  const total = new Float32Array(T);
  for (const layer of layers) for (let i = 0; i < layer.length; i++) total[i % T] += layer[i];
  return total;
}

/**
 * Importance per layer, each [H, T]: e_i / z_i, a token's share in the window that ends at it ("window"), or its share of the
 * weights of the whole block ("block").
 */
async function layerImportance(
  model: Leap,
  ids: Int32Array,
  within: "window" | "block",
): Promise<Float32Array[]> {
  const { gpu, config } = model;
  const { variant, rescale, heads, width } = config;
  const T = ids.length;
  const reads = gpu.scope(() => {
    const pending: Promise<unknown>[] = [];
    model.layerStates(gpu.tensor(ids, [1, T]), {}, (layer, projection) => {
      const packed = reshape(projection, [1, T, 4, heads, width / heads]);
      const share = within === "block"
        ? leapImportance(packed, { variant, rescale, window: Infinity })
        : leapImportance(packed, {
          variant,
          rescale,
          window: model.blocks[layer].window,
          query: "own",
        });
      pending.push(gpu.readLater(share).value);
    });
    return pending;
  });
  gpu.submit();
  return await Promise.all(reads) as Float32Array[];
}

/** Mean loss over the examples with some tokens masked as keys in every layer. */
async function maskedLoss<E extends { ids: Int32Array; targets: Int32Array }>(
  context: TaskContext,
  model: Leap,
  examples: readonly E[],
  masked: (example: E, index: number) => readonly number[] | null,
): Promise<number> {
  const { gpu } = context;
  let sum = 0;
  for (const [i, example] of examples.entries()) {
    context.signal.throwIfAborted();
    const T = example.ids.length;
    const hidden = masked(example, i);
    const loss = await gpu.scope(() => {
      let keyMask: Tensor | undefined;
      if (hidden) {
        const keep = new Int32Array(T).fill(1);
        for (const t of hidden) keep[t] = 0;
        keyMask = gpu.tensor(keep, [1, T]);
      }
      return gpu.readFloats(
        model.loss(gpu.tensor(example.ids, [1, T]), gpu.tensor(example.targets, [1, T]), {
          keyMask,
        }),
      );
    });
    sum += loss[0];
  }
  return sum / examples.length;
}

function chooseTokens(
  context: TaskContext,
  choice: typeof CHOICES[number],
  importance: Float32Array,
  count: number,
  draw: number,
): number[] {
  const seed = context.seed("random mask");
  // The first token is never masked: a window that holds nothing else would be empty.
  const order = Array.from({ length: importance.length - 1 }, (_, i) => i + 1);
  const key = (t: number) =>
    choice === "random"
      ? uniformAt(seed, draw, t)
      : choice === "top"
      ? -importance[t]
      : importance[t];
  return order.sort((a, b) => key(a) - key(b) || a - b).slice(0, count);
}

async function attachImportance(
  context: TaskContext,
  model: Leap,
  variant: string,
  example: { ids: Int32Array; importance: Float32Array },
  decode: (id: number) => string,
): Promise<void> {
  const T = example.ids.length;
  const byHead = async (within: "window" | "block") =>
    (await layerImportance(model, example.ids, within)).map((values, layer) => ({
      layer,
      window: model.blocks[layer].window,
      heads: Array.from(
        { length: values.length / T },
        (_, h) => Array.from(values.subarray(h * T, (h + 1) * T)),
      ),
    }));
  const block = await byHead("block");
  const tokens = Array.from(example.ids, decode);
  const content = {
    variant,
    tokens,
    importance: Array.from(example.importance),
    windowShare: await byHead("window"),
    blockShare: block,
  };
  const bytes = new TextEncoder().encode(JSON.stringify(content));
  const attachment = await context.attach(`importance-${variant}.json`, bytes, "application/json");
  const order = Array.from(example.importance.keys()).sort((a, b) =>
    example.importance[b] - example.importance[a]
  );
  const text = (t: number) => JSON.stringify(tokens[t]);
  context.record({
    variant,
    params: { example: 0 },
    implementation: { form: "fused", label: "linear" },
    curves: block.flatMap(({ layer, heads }) =>
      heads.map((values, head) => ({
        name: `layer ${layer} head ${head}`,
        xLabel: "token",
        yLabel: "share of the block's weights",
        points: values.slice(0, HEAT_MAP_TOKENS).map((value, t): [number, number] => [t, value]),
      }))
    ),
    attachments: [attachment],
    notes: [
      `Most important tokens of the first test block: ${order.slice(0, 12).map(text).join(", ")}.`,
      `Its first ${HEAT_MAP_TOKENS} tokens, as in the heat map: ${
        tokens.slice(0, HEAT_MAP_TOKENS).map((_, t) => text(t)).join(" ")
      }.`,
    ],
  });
}
