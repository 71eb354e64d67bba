import { DocumentFrequencies, truncate, TRUNCATION_POLICIES } from "../../data/mod.ts";
import { type Tensor, uniformAt } from "../../engine/mod.ts";
import type { TaskContext, TimedCase } from "../../harness/contract.ts";
import { Bert } from "../../models/mod.ts";
import { peakOf } from "../encoder_training/peak_of.ts";
import type { TruncationConfig } from "./config.ts";

const CLASSES = 10;

/** Time and memory of training, inference and scoring over the share of the input that is kept, and of the truncation itself. */
export async function runCostTask(context: TaskContext, config: TruncationConfig): Promise<void> {
  const { gpu } = context;
  const { length, batchSize, shares, maxTimeMs } = config.cost!;
  const { encoder, contextualLayers } = config;
  const hub = encoder.source === "hub";
  const sizes = hub
    ? { vocabSize: 30522, width: 768, heads: 12, layers: 12 }
    : { vocabSize: encoder.vocabSize, ...pick(encoder) };
  const model = new Bert(
    gpu,
    { ...sizes, positions: length, classes: CLASSES },
    context.seed("cost"),
  );
  const kept: Tensor[] = [];
  const batch = (T: number) => {
    const ids = Int32Array.from(
      { length: batchSize * T },
      (_, i) => Math.floor(uniformAt(1, 2, i) * sizes.vocabSize),
    );
    const tensors = {
      ids: gpu.tensor(ids, [batchSize, T]).keep(),
      labels: gpu.tensor(ids.subarray(0, batchSize).map((i) => i % CLASSES), [batchSize]).keep(),
      keyMask: gpu.full([batchSize, T], 1, "i32").keep(),
    };
    kept.push(...Object.values(tensors));
    return tensors;
  };
  const first = Math.min(contextualLayers, sizes.layers);
  const points = [1, ...shares].map((share) => {
    const T = Math.max(8, Math.round(share * length));
    const { ids, labels, keyMask } = batch(T);
    const forms: Record<string, () => unknown> = {
      forward: () => model.classLogits(ids, { keyMask }),
      "forward+backward": () =>
        gpu.withTape((tape) => tape.backward(model.classificationLoss(ids, labels, { keyMask }))),
      ...(share === 1
        ? {
          "score all layers": () => model.attentionScores(ids, { keyMask }),
          [`score first ${first}`]: () =>
            model.attentionScores(ids, { keyMask, layers: { first }, scoring: "received" }),
          "materialise maps": () => model.forEachAttentionMap(ids, () => {}, { keyMask }),
        }
        : {}),
    };
    return { share, T, forms };
  });
  try {
    const cases = points.flatMap(({ share, forms }) =>
      Object.entries(forms).map(([phase, run]): TimedCase => ({
        name: `${share} ${phase}`,
        phase,
        run,
      }))
    );
    const measured = await context.measure(cases, { maxTimeMs, minSamples: 3 });
    for (const { share, T, forms } of points) {
      for (const [phase, run] of Object.entries(forms)) {
        const result = measured.find(({ name }) => name === `${share} ${phase}`)!;
        if (result.error) throw result.error;
        const ns = result.timing?.stats?.medianNs;
        context.record({
          variant: phase,
          params: { part: "cost", share, T, batch: batchSize },
          implementation: {
            form: phase === "materialise maps" ? "naive" : "fused",
            label: "dense",
          },
          timings: result.timing ? [result.timing] : [],
          memoryBytes: { peak: await peakOf(context, run) },
          cost: {
            flops: phase === "forward" ? model.flops(batchSize, T).forward : null,
            bytes: null,
          },
          metrics: [{
            metric: "time-per-document",
            unit: "ms",
            value: ns ? ns / 1e6 / batchSize : null,
            better: "lower",
          }],
        });
      }
    }
    recordTruncation(context, length, sizes.vocabSize);
  } finally {
    for (const t of kept) t.dispose();
    model.dispose();
  }
}

/** Milliseconds that the choice of tokens takes on the CPU, once scores are there. */
function recordTruncation(context: TaskContext, length: number, vocabSize: number): void {
  const repeats = 200;
  const ids = Int32Array.from(
    { length },
    (_, i) => Math.floor(uniformAt(3, 4, i) ** 2 * vocabSize),
  );
  const table = new Map(Array.from({ length: vocabSize }, (_, id) => [id, uniformAt(5, 6, id)]));
  const frequencies = new DocumentFrequencies();
  frequencies.add(ids);
  for (const policy of TRUNCATION_POLICIES) {
    const scores = policy === "contextual" ? ids.map((_, i) => i) : table;
    const started = performance.now();
    for (let stream = 0; stream < repeats; stream++) {
      const budget = Math.ceil(length / 2);
      truncate(ids, { policy, budget, scores, frequencies, stream });
    }
    context.record({
      variant: policy,
      params: { part: "truncation-cost", T: length },
      metrics: [{
        metric: "truncation-time",
        unit: "ms/document",
        value: (performance.now() - started) / repeats,
        better: "lower",
        n: repeats,
      }],
    });
  }
}

function pick({ width, heads, layers }: TruncationConfig["encoder"]) {
  return { width, heads, layers };
}
