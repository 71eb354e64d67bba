import type { TaskContext } from "../../harness/contract.ts";
import {
  type EncoderTokenizer,
  openBertTokenizer,
  trainEncoderTokenizer,
} from "../encoder_training/encoder_tokenizer.ts";
import type { LsgConfig } from "./config.ts";
import { type LongDocument, type LongDocuments, openDocuments } from "./documents.ts";
import { encodeInput, type LongInput } from "./encode_inputs.ts";
import { fetchEncoderFile } from "./fetch_encoder_file.ts";
import type { Unit } from "./unit.ts";

/** Everything of a unit that comes before a model. */
export interface PreparedUnit {
  readonly tokenizer: EncoderTokenizer;
  readonly classes: readonly string[];
  /** Training inputs of an epoch. */
  readonly train: (epoch: number) => readonly LongInput[];
  readonly test: readonly LongInput[];
  readonly trainTexts: readonly string[];
  readonly documents: LongDocuments;
}

/** Characters from which an own tokenizer is learnt: more changes little and costs seconds. */
const TOKENIZER_CHARACTERS = 400_000;

let latest: { key: string; unit: PreparedUnit } | undefined;

/** Opens and encodes the documents of a unit. The latest one is kept, since most tasks follow on the same. */
export async function prepareUnit(
  context: TaskContext,
  config: LsgConfig,
  { task }: Unit,
): Promise<PreparedUnit> {
  const key = JSON.stringify([task, config.encoder, context.seed(`split/${task.name}`)]);
  if (latest?.key !== key) {
    const documents = await openDocuments(context, task);
    const tokenizer = await openEncoderTokenizer(context, config, documents.trainTexts);
    const encode = (of: LongDocuments["test"]) =>
      of.map((document) => encodeInput(tokenizer, document, task.length));
    const { classes, trainTexts } = documents;
    const encoded = new Map<readonly LongDocument[], LongInput[]>();
    const epochs: (readonly LongDocument[])[] = [];
    latest = {
      key,
      unit: {
        ...{ tokenizer, classes, trainTexts, documents },
        train: (epoch) => {
          const of = epochs[epoch] ??= documents.train(epoch);
          const inputs = encoded.get(of) ?? encode(of);
          encoded.set(of, inputs);
          return inputs;
        },
        test: encode(documents.test),
      },
    };
  }
  recordData(context, latest.unit);
  return latest.unit;
}

async function openEncoderTokenizer(
  context: TaskContext,
  config: LsgConfig,
  texts: readonly string[],
): Promise<EncoderTokenizer> {
  if (config.encoder.source === "hub") {
    const bytes = await fetchEncoderFile(context, config, "tokenizer.json");
    return openBertTokenizer(JSON.parse(new TextDecoder().decode(bytes)), "roberta");
  }
  const share = Math.max(1, Math.floor(TOKENIZER_CHARACTERS / texts.length));
  return trainEncoderTokenizer(
    texts.map((text) => text.slice(0, share)),
    config.encoder.vocabSize,
  );
}

function recordData(context: TaskContext, { documents, train, test }: PreparedUnit): void {
  for (const [split, items] of Object.entries({ train: train(0), test })) {
    context.data({
      ...documents.source,
      split,
      records: items.length,
      tokens: items.reduce((sum, { ids }) => sum + ids.length, 0),
    });
  }
}
