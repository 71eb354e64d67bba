import { fetchHubFile, openTokenizer } from "../../data/mod.ts";
import { uniformAt } from "../../engine/mod.ts";
import type { TaskContext } from "../../harness/contract.ts";
import { Gpt2 } from "../../models/mod.ts";
import { AdamW, makeSchedule, readSafetensors, train } from "../../train/mod.ts";
import type { TruncationConfig, Unit } from "./config.ts";
import { unitName } from "./config.ts";
import type { PreparedUnit } from "./prepare.ts";

/** A causal language model with its tokenizer. */
export interface Generator {
  readonly model: Gpt2;
  readonly encode: (text: string) => Int32Array;
  readonly decode: (ids: Iterable<number>) => string;
}

/** An own GPT-2 trained on the training documents, or the published one. */
export async function openGenerator(
  context: TaskContext,
  config: TruncationConfig,
  unit: Unit,
  prepared: PreparedUnit,
): Promise<Generator> {
  return config.generation!.source === "hub"
    ? await hubGenerator(context, config)
    : await trainGenerator(context, config, unit, prepared);
}

async function trainGenerator(
  context: TaskContext,
  config: TruncationConfig,
  unit: Unit,
  { tokenizer, trainTexts }: PreparedUnit,
): Promise<Generator> {
  const { gpu, signal } = context;
  const { width, heads, layers, steps, batchSize, learningRate, promptLength, newTokens } = config
    .generation!;
  const positions = promptLength + newTokens;
  const model = new Gpt2(
    gpu,
    { vocabSize: tokenizer.vocabSize, positions, width, heads, layers, initializerRange: 0.05 },
    context.seed(`generator/${unitName(unit)}`),
  );
  const stream = Int32Array.from(
    trainTexts.flatMap((text) => [...tokenizer.encode(text), tokenizer.sep]),
  );
  const seed = context.seed(`generator data/${unitName(unit)}`);
  const T = Math.min(positions, stream.length - 1);
  const optimizer = new AdamW(model.parameters, { clipNorm: 1 });
  try {
    await train({
      gpu,
      optimizer,
      steps,
      signal,
      schedule: makeSchedule("linear", {
        learningRate,
        steps,
        warmupSteps: Math.round(0.1 * steps),
      }),
      loss: (step, _part, inputs) => {
        const [ids, targets] = [new Int32Array(batchSize * T), new Int32Array(batchSize * T)];
        for (let b = 0; b < batchSize; b++) {
          const start = Math.floor(uniformAt(seed, step, b) * (stream.length - T));
          ids.set(stream.subarray(start, start + T), b * T);
          targets.set(stream.subarray(start + 1, start + T + 1), b * T);
        }
        return model.loss(
          inputs.upload("ids", ids, [batchSize, T]),
          inputs.upload("targets", targets, [batchSize, T]),
        );
      },
      onStep: ({ step, loss }) =>
        context.progress(
          0.6 * (step + 1) / steps,
          `generator ${step + 1}/${steps} loss ${loss.toFixed(2)}`,
        ),
    });
    signal.throwIfAborted();
  } catch (error) {
    model.dispose();
    throw error;
  } finally {
    optimizer.dispose();
  }
  return { model, encode: tokenizer.encode, decode: tokenizer.decode };
}

async function hubGenerator(context: TaskContext, config: TruncationConfig): Promise<Generator> {
  const { repo, revision } = config.generation!;
  const options = {
    store: context.host,
    signal: context.signal,
    warn: (m: string) => context.log(m),
  };
  const fetch = async (path: string) =>
    (await fetchHubFile({ kind: "model", repo, revision, path }, options)).bytes;
  const json = JSON.parse(new TextDecoder().decode(await fetch("config.json")));
  const { tensors } = readSafetensors(
    await fetch("model.safetensors"),
    `${repo}/model.safetensors`,
  );
  const model = new Gpt2(context.gpu, {
    vocabSize: json.vocab_size,
    positions: json.n_positions,
    width: json.n_embd,
    heads: json.n_head,
    layers: json.n_layer,
  }, 0);
  for (const parameter of model.parameters) {
    const stored = tensors.get(parameter.name) ?? tensors.get(`transformer.${parameter.name}`);
    if (!stored || stored.shape.join() !== parameter.shape.join()) {
      throw new TypeError(
        `Cannot load ${repo}: ${parameter.name} is ${stored ? `[${stored.shape}]` : "missing"}, ` +
          `expected [${parameter.shape}]`,
      );
    }
    context.gpu.upload(parameter, stored.data as Float32Array);
  }
  const tokenizer = await openTokenizer("gpt2");
  return {
    model,
    encode: (text) => tokenizer.encode(text),
    decode: (ids) => tokenizer.decode(ids),
  };
}

/**
 * Greedy continuation of prompts of one length.
 *
 * @returns The new ids of each prompt.
 */
export async function continuePrompts(
  context: TaskContext,
  { model }: Generator,
  prompts: readonly Int32Array[],
  newTokens: number,
): Promise<Int32Array[]> {
  const { gpu, signal } = context;
  const B = prompts.length;
  const length = prompts[0].length;
  const decoder = model.decoder(B);
  const results = prompts.map(() => new Int32Array(newTokens));
  try {
    for (let t = 0; t < length + newTokens - 1; t++) {
      signal.throwIfAborted();
      const column = t < length
        ? Int32Array.from(prompts, (ids) => ids[t])
        : Int32Array.from(results, (ids) => ids[t - length]);
      const last = t >= length - 1;
      const read = gpu.scope(() => {
        const logits = decoder.step(gpu.tensor(column, [B]));
        return last ? [gpu.readFloats(logits)] : [];
      });
      if (!last) {
        gpu.submit();
        continue;
      }
      const logits = await read[0];
      const V = logits.length / B;
      for (let b = 0; b < B; b++) {
        const row = logits.subarray(b * V, (b + 1) * V);
        results[b][t - length + 1] = row.reduce(
          (best, value, i) => value > row[best] ? i : best,
          0,
        );
      }
    }
  } finally {
    decoder.dispose();
  }
  return results;
}
