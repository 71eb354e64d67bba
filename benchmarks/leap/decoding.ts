import type { Tensor } from "../../engine/mod.ts";
import type { TaskContext, TimedCase } from "../../harness/contract.ts";
import { median } from "../../harness/statistics/mod.ts";
import type { Decoder, LanguageModel } from "../../models/mod.ts";
import type { LeapBenchConfig, Variant } from "./config.ts";
import { buildModel } from "./models.ts";

const VOCABULARY = 2048;
/** Samples per case and their upper bound on warm-up; positions are kept free for them. */
const MAX_SAMPLES = 24;
const SPARE_POSITIONS = 1024;
/** Steps recorded between two submissions while the context is filled. */
const FILL_CHUNK = 64;

interface Running {
  readonly variant: Variant;
  readonly model: LanguageModel;
  readonly decoder: Decoder;
}

/** Tokens per second at growing context: GPT-2 with a key-value cache against LEAP's constant state, interleaved. */
export async function runDecodingTask(
  context: TaskContext,
  config: LeapBenchConfig,
): Promise<void> {
  const { gpu } = context;
  const { contexts, maxTimeMs } = config.decode!;
  const { width, heads, layers } = config.model;
  const positions = Math.max(...contexts) + SPARE_POSITIONS;
  const sizes = { width, heads, layers, vocabSize: VOCABULARY, positions };
  const ids = gpu.tensor(Int32Array.of(1), [1]).keep();
  const running: Running[] = config.variants.map((variant) => {
    const model = buildModel(gpu, variant, sizes, context.seed("decode"));
    return { variant, model, decoder: model.decoder(1) };
  });
  try {
    for (const [i, length] of contexts.entries()) {
      for (const { decoder } of running) await fill(context, decoder, ids, length);
      const stateBytes = new Map(
        running.map(({ variant, decoder }) => [variant, decoder.stateBytes]),
      );
      const cases: TimedCase[] = running.map(({ variant, decoder }) => ({
        name: variant,
        phase: "decode",
        run: () => void decoder.step(ids),
      }));
      // One token per sample: repeating inside a sample would move the context away from the one named.
      const measured = await context.measure(cases, {
        maxTimeMs,
        maxSamples: MAX_SAMPLES,
        minSampleMs: 0,
      });
      for (const { variant, model } of running) {
        const { timing, error } = measured.find((m) => m.name === variant)!;
        const tokenNs = timing && timing.samplesNs.length > 0
          ? median(timing.samplesNs) / timing.number
          : null;
        context.record({
          variant,
          params: { context: length },
          status: error ? "failed" : "ok",
          reasons: error ? [{ code: "error", message: error.message }] : [],
          implementation: {
            form: "fused",
            label: variant === "gpt2" ? "dense" : "linear",
            parameters: model.parameters.trainableCount,
            stateBytes: stateBytes.get(variant)!,
          },
          timings: timing ? [timing] : [],
          metrics: [{
            metric: "tokens-per-second",
            unit: "tokens/s",
            value: tokenNs ? 1e9 / tokenNs : null,
            better: "higher",
          }],
        });
      }
      context.progress((i + 1) / contexts.length, `context ${length}`);
    }
  } finally {
    for (const { decoder, model } of running) {
      decoder.dispose();
      model.dispose();
    }
    ids.dispose();
  }
}

/** Feeds tokens until the decoder has seen `length` of them; a context already longer stays. */
async function fill(
  context: TaskContext,
  decoder: Decoder,
  ids: Tensor,
  length: number,
): Promise<void> {
  const { gpu } = context;
  while (decoder.position < length) {
    context.signal.throwIfAborted();
    const end = Math.min(length, decoder.position + FILL_CHUNK);
    while (decoder.position < end) gpu.scope(() => void decoder.step(ids));
    await gpu.idle();
  }
}
