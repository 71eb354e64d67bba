import { fetchHubFile } from "../../data/mod.ts";
import { uniformAt } from "../../engine/mod.ts";
import type { TaskContext } from "../../harness/contract.ts";
import { Bert, type BertConfig, bertConfigFromJson, loadBertWeights } from "../../models/mod.ts";
import { AdamW, makeSchedule, readSafetensors, train, writeSafetensors } from "../../train/mod.ts";
import type { TruncationConfig, Unit } from "./config.ts";
import { unitName } from "./config.ts";
import type { EncoderTokenizer } from "./encoder_tokenizer.ts";
import { type PreparedUnit, pretrainingTexts } from "./prepare.ts";

/** Share of the tokens that masked-language modelling asks for (Devlin et al. 2019). */
const MASK_SHARE = 0.15;

/** Name of the artifact with the pretrained encoder of a unit. */
export function encoderArtifact(unit: Unit): string {
  return `encoder-${unitName(unit).replaceAll("/", "-")}.safetensors`;
}

/** A classifier with fresh heads over the pretrained encoder of its unit. */
export async function buildClassifier(
  context: TaskContext,
  config: TruncationConfig,
  unit: Unit,
  prepared: PreparedUnit,
): Promise<Bert> {
  const seed = context.seed(`heads/${unitName(unit)}`);
  const classes = prepared.classes.length;
  if (config.encoder.source === "hub") {
    const hub = await hubEncoder(context, config);
    const model = new Bert(context.gpu, { ...hub.config, classes }, seed);
    // The classifier of a published encoder was made for another task.
    for (const key of hub.tensors.keys()) if (/^classifier\./.test(key)) hub.tensors.delete(key);
    loadBertWeights(model, hub.tensors);
    return model;
  }
  const bytes = await context.artifacts.read(encoderArtifact(unit));
  if (!bytes) {
    throw new TypeError(
      `Cannot train on ${
        unitName(unit)
      }: its pretrained encoder is missing; run its prepare task in the same run`,
    );
  }
  const model = new Bert(context.gpu, { ...ownConfig(config, prepared.tokenizer), classes }, seed);
  const { tensors } = readSafetensors(bytes, "the pretrained encoder");
  for (const parameter of model.parameters) {
    const stored = tensors.get(parameter.name);
    if (stored) context.gpu.upload(parameter, stored.data as Float32Array);
  }
  return model;
}

/** Pretrains the encoder of a unit by masked-language modelling and keeps it as an artifact. Returns the losses. */
export async function pretrainEncoder(
  context: TaskContext,
  config: TruncationConfig,
  unit: Unit,
  prepared: PreparedUnit,
): Promise<[number, number][]> {
  const { gpu, signal } = context;
  const { steps, batchSize, blockLength, learningRate } = config.pretraining!;
  const { tokenizer } = prepared;
  const text = await pretrainingTexts(context, config, prepared);
  const documents = text.map((t) => tokenizer.encode(t)).filter(({ length }) => length > 1);
  const inner = blockLength - 2;
  const model = new Bert(
    gpu,
    { ...ownConfig(config, tokenizer), maskedHead: true },
    context.seed(`encoder/${unitName(unit)}`),
  );
  const optimizer = new AdamW(model.parameters, { clipNorm: 1 });
  const seed = context.seed(`pretraining/${unitName(unit)}`);
  const losses: [number, number][] = [];
  // Every step asks for as many places, so that shapes stay the same.
  const places = Math.max(1, Math.round(MASK_SHARE * inner * batchSize));
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
          0.5 * (step + 1) / steps,
          `pretraining ${step + 1}/${steps} loss ${loss.toFixed(2)}`,
        );
      },
    });
    signal.throwIfAborted();
    const stored = new Map<string, { shape: readonly number[]; data: Float32Array }>();
    for (const parameter of model.parameters) {
      if (!parameter.name.startsWith("masked.")) {
        stored.set(parameter.name, {
          shape: parameter.shape,
          data: await gpu.readFloats(parameter),
        });
      }
    }
    await context.artifacts.write(encoderArtifact(unit), writeSafetensors(stored));
  } finally {
    optimizer.dispose();
    model.dispose();
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

function ownConfig(
  { encoder, maxLength, pretraining }: TruncationConfig,
  tokenizer: EncoderTokenizer,
) {
  const { width, heads, layers, dropout } = encoder;
  const positions = Math.max(maxLength, pretraining!.blockLength);
  return {
    ...{ vocabSize: tokenizer.vocabSize, positions, width, heads, layers, dropout },
    // BERT's 0.02 suits width 768; at a tenth of it the first token would hear next to nothing of the others.
    initializerRange: 1 / Math.sqrt(width),
  };
}

async function hubEncoder(context: TaskContext, { encoder: { repo, revision } }: TruncationConfig) {
  const fetch = async (path: string) => {
    const file = { kind: "model", repo, revision, path } as const;
    const options = {
      store: context.host,
      signal: context.signal,
      warn: (m: string) => context.log(m),
    };
    const { bytes, sha256, trust } = await fetchHubFile(file, options);
    context.data({
      id: `${repo}/${path}`,
      origin: repo,
      revision,
      licence: "as stated in the repository",
      sha256,
      bytes: bytes.length,
      note: trust === "pinned" ? "" : "unpinned: trusted on first use",
    });
    return bytes;
  };
  const json = JSON.parse(new TextDecoder().decode(await fetch("config.json")));
  const config: BertConfig = bertConfigFromJson(json);
  const { tensors } = readSafetensors(
    await fetch("model.safetensors"),
    `${repo}/model.safetensors`,
  );
  return { config, tensors };
}
