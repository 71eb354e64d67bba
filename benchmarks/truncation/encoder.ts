import { fetchHubFile } from "../../data/mod.ts";
import type { TaskContext } from "../../harness/contract.ts";
import { Bert, type BertConfig, bertConfigFromJson, loadBertWeights } from "../../models/mod.ts";
import { readSafetensors } from "../../train/mod.ts";
import type { EncoderTokenizer } from "../encoder_training/encoder_tokenizer.ts";
import {
  loadEncoder,
  pretrainMasked,
  saveEncoder,
} from "../encoder_training/masked_pretraining.ts";
import type { TruncationConfig, Unit } from "./config.ts";
import { unitName } from "./config.ts";
import { type PreparedUnit, pretrainingTexts } from "./prepare.ts";

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
  loadEncoder(model, readSafetensors(bytes, "the pretrained encoder").tensors);
  return model;
}

/** Pretrains the encoder of a unit by masked-language modelling and keeps it as an artifact. Returns the losses. */
export async function pretrainEncoder(
  context: TaskContext,
  config: TruncationConfig,
  unit: Unit,
  prepared: PreparedUnit,
): Promise<[number, number][]> {
  const { tokenizer } = prepared;
  const texts = await pretrainingTexts(context, config, prepared);
  const model = new Bert(
    context.gpu,
    { ...ownConfig(config, tokenizer), maskedHead: true },
    context.seed(`encoder/${unitName(unit)}`),
  );
  try {
    const losses = await pretrainMasked(context, config.pretraining!, {
      ...{ model, tokenizer, share: 0.5 },
      documents: texts.map((text) => tokenizer.encode(text)),
      seed: context.seed(`pretraining/${unitName(unit)}`),
    });
    await context.artifacts.write(encoderArtifact(unit), await saveEncoder(model));
    return losses;
  } finally {
    model.dispose();
  }
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
