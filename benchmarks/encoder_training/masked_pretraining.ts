import { uniformAt } from "../../engine/mod.ts";
import type { TaskContext } from "../../harness/contract.ts";
import type { Bert } from "../../models/mod.ts";
import { AdamW, makeSchedule, train, writeSafetensors } from "../../train/mod.ts";
import type { EncoderTokenizer } from "./encoder_tokenizer.ts";

/** Share of the tokens that masked-language modelling asks for (Devlin et al. 2019). */
const MASK_SHARE = 0.15;

/** How an encoder is pretrained. */
export interface PretrainingSettings {
  readonly steps: number;
  readonly batchSize: number;
  readonly blockLength: number;
  readonly learningRate: number;
}

/** Options of `pretrainMasked`. */
export interface PretrainingOptions {
  /** With a masked head. */
  readonly model: Bert;
  readonly tokenizer: EncoderTokenizer;
  /** Token ids without special tokens; those of fewer than two tokens are passed over. */
  readonly documents: readonly Int32Array[];
  readonly seed: number;
  /** Share of the task that pretraining is, for the progress. @default {1} */
  readonly share?: number;
}

/** Trains a model by masked-language modelling on random crops. Returns the losses by step. */
export async function pretrainMasked(
  context: TaskContext,
  { steps, batchSize, blockLength, learningRate }: PretrainingSettings,
  { model, tokenizer, seed, share = 1, ...rest }: PretrainingOptions,
): Promise<[number, number][]> {
  const { gpu, signal } = context;
  const documents = rest.documents.filter(({ length }) => length > 1);
  const optimizer = new AdamW(model.parameters, { clipNorm: 1 });
  const losses: [number, number][] = [];
  // Every step asks for as many places, so that shapes stay the same.
  const places = Math.max(1, Math.round(MASK_SHARE * (blockLength - 2) * batchSize));
  try {
    await train({
      gpu,
      optimizer,
      steps,
      schedule: makeSchedule("linear", {
        learningRate,
        steps,
        warmupSteps: Math.round(0.1 * steps),
      }),
      signal,
      loss: (step, _part, inputs) => {
        const batch = maskedBatch(
          documents,
          tokenizer,
          { batchSize, blockLength, places },
          seed,
          step,
        );
        const shape = [batchSize, blockLength];
        return model.maskedLoss(
          inputs.upload("ids", batch.ids, shape),
          inputs.upload("places", batch.places, [places]),
          inputs.upload("targets", batch.targets, [places]),
          { keyMask: inputs.upload("mask", batch.mask, shape), dropoutSeed: seed + step },
        );
      },
      onStep: ({ step, loss }) => {
        losses.push([step + 1, loss]);
        context.progress(
          share * (step + 1) / steps,
          `pretraining ${step + 1}/${steps} loss ${loss.toFixed(2)}`,
        );
      },
    });
    signal.throwIfAborted();
  } finally {
    optimizer.dispose();
  }
  return losses;
}

/** A batch of random crops with 15 % of the places asked for: 80 % masked, 10 % random, 10 % unchanged. */
export function maskedBatch(
  documents: readonly Int32Array[],
  { cls, sep, pad, mask, vocabSize }: EncoderTokenizer,
  sizes: { batchSize: number; blockLength: number; places: number },
  seed: number,
  step: number,
): { ids: Int32Array; mask: Int32Array; places: Int32Array; targets: Int32Array } {
  const { batchSize: B, blockLength: T, places: N } = sizes;
  const draw = (index: number) => uniformAt(seed, step, index);
  let next = 0;
  const ids = new Int32Array(B * T).fill(pad);
  const keep = new Int32Array(B * T);
  const candidates: number[] = [];
  for (let b = 0; b < B; b++) {
    const document = documents[Math.floor(draw(next++) * documents.length)];
    const length = Math.min(T - 2, document.length);
    const start = Math.floor(draw(next++) * (document.length - length + 1));
    ids[b * T] = cls;
    ids.set(document.subarray(start, start + length), b * T + 1);
    ids[b * T + length + 1] = sep;
    keep.fill(1, b * T, b * T + length + 2);
    for (let t = 1; t <= length; t++) candidates.push(b * T + t);
  }
  const places = new Int32Array(N);
  const targets = new Int32Array(N).fill(-1);
  for (let n = 0; n < Math.min(N, candidates.length); n++) {
    const pick = n + Math.floor(draw(next++) * (candidates.length - n));
    [candidates[n], candidates[pick]] = [candidates[pick], candidates[n]];
    places[n] = candidates[n];
    targets[n] = ids[places[n]];
    const choice = draw(next++);
    if (choice < 0.8) ids[places[n]] = mask;
    else if (choice < 0.9) ids[places[n]] = Math.floor(draw(next++) * vocabSize);
  }
  return { ids, mask: keep, places, targets };
}

/** Weights of an encoder without its masked head, as safetensors. */
export async function saveEncoder({ gpu, parameters }: Bert): Promise<Uint8Array> {
  const stored = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const parameter of parameters) {
    if (parameter.name.startsWith("masked.")) continue;
    const data = await gpu.readFloats(parameter);
    stored.set(parameter.name, { shape: parameter.shape, data });
  }
  return writeSafetensors(stored);
}

/** Gives a model the stored weights of the parameters that it has; heads keep their initial values. */
export function loadEncoder(
  { gpu, parameters }: Bert,
  tensors: ReadonlyMap<string, { readonly data: unknown }>,
): void {
  for (const parameter of parameters) {
    const stored = tensors.get(parameter.name);
    if (stored) gpu.upload(parameter, stored.data as Float32Array);
  }
}
