import { openCorpus } from "../../data/mod.ts";
import type { TaskContext } from "../../harness/contract.ts";
import {
  Bert,
  type BertConfig,
  bertConfigFromJson,
  type EncoderAttention,
  loadBertWeights,
} from "../../models/mod.ts";
import { readSafetensors } from "../../train/mod.ts";
import {
  loadEncoder,
  pretrainMasked,
  saveEncoder,
} from "../encoder_training/masked_pretraining.ts";
import type { LsgConfig } from "./config.ts";
import { convertWeights, type Weights } from "./convert_weights.ts";
import { fetchEncoderFile } from "./fetch_encoder_file.ts";
import type { PreparedUnit } from "./prepare.ts";
import { type Unit, unitName, weightsArtifact } from "./unit.ts";

/** Pretrains the source encoder of a unit with full attention, or fetches a published one, and keeps it. Returns the losses. */
export async function prepareEncoder(
  context: TaskContext,
  config: LsgConfig,
  unit: Unit,
  prepared: PreparedUnit,
): Promise<[number, number][]> {
  const { gpu } = context;
  const source = await sourceConfig(context, config, prepared);
  const seed = context.seed(`encoder/${unitName(unit)}`);
  const own = config.encoder.source === "own";
  const model = new Bert(gpu, { ...source, maskedHead: own }, seed);
  let losses: [number, number][] = [];
  try {
    if (own) {
      const { positions } = config.encoder;
      losses = await pretrainMasked(context, { ...config.pretraining!, blockLength: positions }, {
        model,
        tokenizer: prepared.tokenizer,
        documents: (await pretrainingTexts(context, config, prepared))
          .map((text) => prepared.tokenizer.encode(text)),
        seed: context.seed(`pretraining/${unitName(unit)}`),
        share: 0.5,
      });
    } else {
      const bytes = await fetchEncoderFile(context, config, "model.safetensors");
      loadBertWeights(model, readSafetensors(bytes, config.encoder.repo).tensors);
    }
    await context.artifacts.write(weightsArtifact(unit, "pretrained"), await saveEncoder(model));
  } finally {
    model.dispose();
  }
  return losses;
}

/** What a model is built for. */
export interface ModelRequest {
  /** Weights to begin with. */
  readonly from: "pretrained" | "base";
  readonly attention: EncoderAttention;
  /** Text tokens of the longest input; positions are tiled where the source has fewer. */
  readonly length: number;
  /** False for parameters that stay as they are. @default {all are trained} */
  readonly trainable?: (name: string) => boolean;
}

/** A model with the task's head on the weights of its unit, converted to the attention and length that are asked for. */
export async function buildModel(
  context: TaskContext,
  config: LsgConfig,
  unit: Unit,
  prepared: PreparedUnit,
  { from, attention, length, trainable }: ModelRequest,
): Promise<Bert> {
  const bytes = await context.artifacts.read(weightsArtifact(unit, from));
  if (!bytes) {
    throw new TypeError(
      `Cannot build a model of ${
        unitName(unit)
      }: its ${from} weights are missing; run its prepare task in the same run`,
    );
  }
  const source = await sourceConfig(context, config, prepared);
  const positionOffset = typeof source.positionIds === "object" ? source.positionIds.padId + 1 : 0;
  const { tensors } = readSafetensors(bytes, "the encoder");
  const weights = convertWeights(tensors as ReadonlyMap<string, Weights>, {
    ...{ length, positionOffset, tokenizer: prepared.tokenizer },
    addTokenType: config.encoder.source === "own",
    seed: context.seed(`globals/${unitName(unit)}`),
  });
  const model = new Bert(
    context.gpu,
    {
      ...source,
      ...(prepared.classes.length > 0 ? { classes: prepared.classes.length } : { spanHead: true }),
      attention,
      positions: length + positionOffset,
    },
    context.seed(`heads/${unitName(unit)}`),
    { trainable },
  );
  loadEncoder(model, weights);
  return model;
}

/** Configuration of the source encoder without heads. */
async function sourceConfig(
  context: TaskContext,
  config: LsgConfig,
  { tokenizer }: PreparedUnit,
): Promise<BertConfig> {
  const { source, width, heads, layers, dropout, positions } = config.encoder;
  if (source === "hub") {
    const bytes = await fetchEncoderFile(context, config, "config.json");
    return bertConfigFromJson(JSON.parse(new TextDecoder().decode(bytes)));
  }
  return {
    ...{ vocabSize: tokenizer.vocabSize, positions, width, heads, layers, dropout },
    // BERT's 0.02 suits width 768; at a tenth of it the first token would hear next to nothing of the others.
    initializerRange: 1 / Math.sqrt(width),
  };
}

/** Texts of the training side and of the open corpora; never a test document. */
async function pretrainingTexts(
  context: TaskContext,
  { encoder }: LsgConfig,
  { trainTexts }: PreparedUnit,
): Promise<string[]> {
  const texts = [...trainTexts];
  for (const name of encoder.corpora) {
    const corpus = openCorpus(name, { store: context.host, signal: context.signal });
    const split = await corpus.load(name === "moby-dick" ? "out_of_domain" : "train");
    context.data({
      ...{ id: corpus.id, title: corpus.title, origin: corpus.id, licence: corpus.licence },
      ...{ sha256: split.sha256, split: split.split, records: split.documents.length },
      note: "masked-language pretraining",
    });
    texts.push(...split.documents.map(({ text }) => text));
  }
  return texts;
}
