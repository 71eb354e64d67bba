import { DocumentFrequencies, padRows, TokenScores, truncate } from "../../data/mod.ts";
import type { TaskContext } from "../../harness/contract.ts";
import { attentionScores, type Bert } from "../../models/mod.ts";
import { POLICIES, type TruncationConfig, type Unit } from "./config.ts";
import { buildClassifier } from "./encoder.ts";
import { encodeDocument } from "../encoder_training/encoder_tokenizer.ts";
import { continuePrompts, openGenerator } from "./generator.ts";
import { type PreparedUnit, prepareUnit } from "./prepare.ts";

/** Training documents scored for the generator's dictionary. */
const SCORED_DOCUMENTS = 512;

/**
 * Continuations of truncated prompts against those of the full ones: cosine of mean-pooled encoder embeddings. Scores are the
 * generator's own attention, over its own tokens. `unrelated` is the floor: the continuation of another document's full prompt.
 */
export async function runGenerationTask(
  context: TaskContext,
  config: TruncationConfig,
  unit: Unit,
): Promise<void> {
  const { prompts: wanted, promptLength, newTokens, shares } = config.generation!;
  const prepared = await prepareUnit(context, config, unit);
  const generator = await openGenerator(context, config, unit, prepared);
  const encoder = await buildClassifier(context, config, unit, prepared);
  try {
    const prompts = prepared.testTexts.map((text) => generator.encode(text))
      .filter((ids) => ids.length >= promptLength).slice(0, wanted)
      .map((ids) => ids.slice(0, promptLength));
    if (prompts.length < 2) {
      throw new RangeError(
        `Cannot compare continuations: ${prompts.length} test documents have ${promptLength} tokens, expected 2 or more`,
      );
    }
    const train = prepared.trainTexts.slice(0, SCORED_DOCUMENTS).map((text) =>
      generator.encode(text).slice(0, generator.model.config.positions)
    ).filter(({ length }) => length > 0);
    const scoring = { signal: context.signal };
    const dictionary = new TokenScores();
    const frequencies = new DocumentFrequencies();
    const scores = await attentionScores(generator.model, train, scoring);
    train.forEach((ids, i) => {
      dictionary.add(ids, scores[i]);
      frequencies.add(ids);
    });
    const layers = { first: Math.min(config.contextualLayers, generator.model.blocks.length) };
    const contextual = await attentionScores(generator.model, prompts, {
      ...scoring,
      layers,
      scoring: "received",
    });
    const table = dictionary.table();
    const embedding = async (ids: readonly Int32Array[]) =>
      await embedTexts(context, encoder, prepared, ids.map((row) => generator.decode(row)));
    const full = await continuePrompts(context, generator, prompts, newTokens);
    const reference = await embedding(full);
    const similarity = (others: Float32Array[]) =>
      reference.map((vector, i) => cosine(vector, others[i]));
    const shifted = reference.map((_, i) => reference[(i + 1) % reference.length]);
    record(context, unit, "unrelated", 1, similarity(shifted), full, full);
    for (const share of shares) {
      for (const policy of POLICIES) {
        if (policy === "none") continue;
        const cut = prompts.map((ids, i) =>
          truncate(ids, {
            policy,
            budget: Math.max(1, Math.round(share * promptLength)),
            scores: policy === "contextual" ? contextual[i] : table,
            frequencies,
            seed: context.seed("random prompts"),
            stream: i,
          })
        );
        const texts = await continuePrompts(context, generator, cut, newTokens);
        record(context, unit, policy, share, similarity(await embedding(texts)), texts, full);
        context.progress(
          0.6 + 0.4 * (shares.indexOf(share) + 1) / shares.length,
          `prompts ${share}`,
        );
      }
    }
  } finally {
    encoder.dispose();
    generator.model.dispose();
  }
}

function record(
  context: TaskContext,
  unit: Unit,
  variant: string,
  share: number,
  similarities: readonly number[],
  texts: readonly Int32Array[],
  full: readonly Int32Array[],
): void {
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const common = {
    split: "test",
    seed: unit.seed,
    n: similarities.length,
    better: "higher" as const,
  };
  const other = (i: number) => variant === "unrelated" ? full[(i + 1) % full.length] : texts[i];
  const agreement = full.map((ids, i) =>
    ids.reduce((same, id, t) => same + (id === other(i)[t] ? 1 : 0), 0) / ids.length
  );
  context.record({
    variant,
    params: { part: "generation", task: unit.task.name, seed: unit.seed, share },
    metrics: [
      { metric: "similarity", unit: "cosine", value: mean(similarities), ...common },
      { metric: "same-tokens", unit: "1", value: mean(agreement), ...common },
    ],
    curves: [{
      name: "similarity",
      xLabel: "prompt",
      yLabel: "cosine",
      seed: unit.seed,
      points: similarities.map((value, i): [number, number] => [i, value]),
    }],
  });
}

/** Mean-pooled embedding of each text. */
async function embedTexts(
  context: TaskContext,
  encoder: Bert,
  { tokenizer }: PreparedUnit,
  texts: readonly string[],
): Promise<Float32Array[]> {
  const { gpu } = context;
  const rows = texts.map((text) => encodeDocument(tokenizer, text).subarray(0, encoder.maxLength));
  const batch = padRows(rows, tokenizer.pad);
  const shape = [batch.batch, batch.length];
  const values = await gpu.scope(() =>
    gpu.readFloats(encoder.embed(gpu.tensor(batch.ids, shape), {
      keyMask: gpu.tensor(batch.mask, shape),
    }))
  );
  const width = values.length / rows.length;
  return rows.map((_, b) => values.slice(b * width, (b + 1) * width));
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i] * b[i];
    aa += a[i] ** 2;
    bb += b[i] ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}
