import { random32 } from "../../data/mod.ts";
import type { Gpu, Tensor } from "../../engine/mod.ts";
import {
  Bart,
  bartConfigFromJson,
  Bert,
  bertConfigFromJson,
  type EncoderAttention,
  loadBartWeights,
  loadBertWeights,
  type LsgEncoderAttention,
  type PublishedTensor,
} from "../../models/mod.ts";

/** A checkpoint to run. */
export interface LoadableCheckpoint {
  /** Its config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Reads all tensors; asked for one checkpoint at a time. */
  readonly tensors: () => Promise<ReadonlyMap<string, PublishedTensor>>;
}

/** Outcome of one check. */
export interface ConversionCheck {
  /** Undefined where it does not apply. */
  readonly passed: boolean | undefined;
  /** What was run and what came out, a sentence. */
  readonly detail: string;
}

/** Largest difference between source and converted model that counts as equal, relative to the largest value where that is over 1. */
export const SHORT_TOLERANCE = 1e-4;

/** More tokens say nothing more about short inputs. */
const MOST_SHORT = 128;
/** Tokens given to the decoder of a sequence-to-sequence model. */
const DECODER_TOKENS = 5;
/** Stream of the ids. */
const ID_STREAM = 3;

/** A batch of ids, row by row, and its mask. */
interface Batch {
  readonly rows: number;
  readonly length: number;
  readonly ids: Int32Array;
  readonly mask: Int32Array;
}

/**
 * Runs a source model and its conversion, one model at a time.
 *
 * Short: on at most two blocks of either, with the global keys hidden and nothing pooled, the converted model must give the source's
 * states (and the logits of a decoder). Long: on the new maximum length the model as configured must have finite states.
 *
 * @param seed Seed of the token ids.
 * @throws {ConfigError} If the models here do not implement an option of the checkpoint.
 */
export async function checkConversion(
  gpu: Gpu,
  source: LoadableCheckpoint,
  converted: LoadableCheckpoint,
  seed = 1,
): Promise<ConversionCheck[]> {
  const { maxLength, ...long } = await withModel(
    gpu,
    converted,
    (attention) => attention,
    (model) => checkLong(model, seed),
  );
  return [await checkShort(gpu, source, converted, { maxLength, seed }), long];
}

async function checkLong({ run, config, maxLength }: RunnableModel, seed: number) {
  const states = await run(idBatch(config, 1, maxLength, seed), false);
  const bad = states.findIndex((value) => !Number.isFinite(value));
  const found = bad < 0 ? "all finite" : `number ${bad} is ${states[bad]}`;
  return {
    maxLength,
    passed: bad < 0,
    detail: `Long input of ${maxLength} tokens: ${states.length} values, ${found}.`,
  };
}

async function checkShort(
  gpu: Gpu,
  source: LoadableCheckpoint,
  converted: LoadableCheckpoint,
  { maxLength, seed }: { readonly maxLength: number; readonly seed: number },
): Promise<ConversionCheck> {
  const lsg = lsgPart(attentionOf(converted.config));
  if (!lsg || lsg.causal) {
    const why = lsg ? "the model is a causal decoder" : "config.json does not say LSG";
    return { passed: lsg ? undefined : false, detail: `Short input: not compared, ${why}.` };
  }
  // A source that is converted already has blocks of its own.
  const ownBlock = lsgPart(attentionOf(source.config))?.blockSize ?? Infinity;
  const most = Math.min(MOST_SHORT, 2 * lsg.blockSize, 2 * ownBlock, maxLength);
  const run = (checkpoint: LoadableCheckpoint, most: number) =>
    withModel(gpu, checkpoint, unpooled, async (model) => {
      const T = Math.min(most, model.maxLength);
      const states = await model.run(idBatch(converted.config, 2, T, seed), true);
      return { T, states };
    });
  const expected = await run(source, most);
  const actual = await run(converted, expected.T);
  return compare(expected.T, actual.states, expected.states);
}

function compare(T: number, actual: Float32Array, expected: Float32Array): ConversionCheck {
  let [largest, difference] = [0, actual.length === expected.length ? 0 : Infinity];
  expected.forEach((value, i) => {
    largest = Math.max(largest, Math.abs(value));
    const apart = Math.abs(actual[i] - value);
    // NaN must not pass.
    if (!(apart <= difference)) difference = Number.isNaN(apart) ? Infinity : apart;
  });
  const bound = SHORT_TOLERANCE * Math.max(1, largest);
  return {
    passed: difference <= bound,
    detail:
      `Short input of ${T} tokens without global keys: source and converted model differ by ` +
      `at most ${difference.toExponential(1)}, ${bound.toExponential(1)} is allowed.`,
  };
}

/** A model of either kind. */
interface RunnableModel {
  readonly config: Readonly<Record<string, unknown>>;
  readonly maxLength: number;
  /** States of the real tokens, then the decoder's logits. */
  readonly run: (batch: Batch, hideGlobals: boolean) => Promise<Float32Array>;
}

/** Opens a model, uses it and disposes it. */
async function withModel<T>(
  gpu: Gpu,
  checkpoint: LoadableCheckpoint,
  change: (attention: EncoderAttention) => EncoderAttention,
  use: (model: RunnableModel) => Promise<T>,
): Promise<T> {
  const { config } = checkpoint;
  const tensors = await checkpoint.tensors();
  if (isSeq2seq(config)) {
    const given = bartConfigFromJson(config);
    const model = new Bart(gpu, { ...given, attention: change(given.attention ?? "fused") }, 0);
    try {
      requireGlobals(loadBartWeights(model, tensors).missing);
      const { positions, vocabSize, startId } = model.config;
      const run = (batch: Batch, hideGlobals: boolean) =>
        runModel(gpu, batch, (ids, keyMask) => {
          const decoder = Int32Array.from(
            { length: batch.rows * DECODER_TOKENS },
            (_, i) => i % DECODER_TOKENS === 0 ? startId : batch.ids[i] % vocabSize,
          );
          const options = { keyMask, hideGlobals };
          const decoderIds = gpu.tensor(decoder, [batch.rows, DECODER_TOKENS]);
          return [model.encoderHidden(ids, options), model.logits(ids, decoderIds, options)];
        });
      return await use({ config, maxLength: positions, run });
    } finally {
      model.dispose();
    }
  }
  const given = bertConfigFromJson(config);
  const model = new Bert(gpu, { ...given, attention: change(given.attention ?? "fused") }, 0);
  try {
    requireGlobals(loadBertWeights(model, tensors).missing);
    const run = (batch: Batch, hideGlobals: boolean) =>
      runModel(gpu, batch, (ids, keyMask) => [model.hidden(ids, { keyMask, hideGlobals })]);
    return await use({ config, maxLength: model.maxLength, run });
  } finally {
    model.dispose();
  }
}

function isSeq2seq(config: LoadableCheckpoint["config"]): boolean {
  return config.is_encoder_decoder === true || "encoder_layers" in config;
}

/** Self-attention of a checkpoint's encoder. */
function attentionOf(config: LoadableCheckpoint["config"]): EncoderAttention | undefined {
  return (isSeq2seq(config) ? bartConfigFromJson : bertConfigFromJson)(config).attention;
}

/** Without what lets a global token, or a missing first token, into the text's states. */
function unpooled(attention: EncoderAttention): EncoderAttention {
  const lsg = lsgPart(attention);
  return lsg ? { ...lsg, poolWithGlobal: false, maskFirstToken: false } : attention;
}

function lsgPart(attention: EncoderAttention | undefined): LsgEncoderAttention | undefined {
  return typeof attention === "object" && attention.kind === "lsg" ? attention : undefined;
}

function requireGlobals(missing: readonly string[]): void {
  if (!missing.includes("embeddings.globals")) return;
  throw new RangeError(
    "Cannot check the conversion: the checkpoint says LSG but has no global embeddings",
  );
}

async function runModel(
  gpu: Gpu,
  { rows, length, ids, mask }: Batch,
  forward: (ids: Tensor, keyMask: Tensor) => Tensor[],
): Promise<Float32Array> {
  const later = gpu.scope(() => {
    const outputs = forward(gpu.tensor(ids, [rows, length]), gpu.tensor(mask, [rows, length]));
    return outputs.map((output) => gpu.readLater(output).value);
  });
  gpu.submit();
  const [states, ...rest] = await Promise.all(later) as Float32Array[];
  // States of padding mean nothing.
  const width = states.length / mask.length;
  const real = states.filter((_, i) => mask[Math.floor(i / width)] === 1);
  return joined([real, ...rest]);
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Random ids without padding; the second row ends in it. */
function idBatch(
  config: Readonly<Record<string, unknown>>,
  rows: number,
  length: number,
  seed: number,
): Batch {
  const vocabulary = Number(config.vocab_size);
  const pad = typeof config.pad_token_id === "number" ? config.pad_token_id : 0;
  const mask = Int32Array.from(
    { length: rows * length },
    (_, i) => Math.floor(i / length) === 1 && i % length >= Math.ceil(length / 2) ? 0 : 1,
  );
  const ids = mask.map((real, i) => {
    if (!real) return pad;
    const id = random32(seed, ID_STREAM, i) % vocabulary;
    return id === pad ? (id + 1) % vocabulary : id;
  });
  return { rows, length, ids, mask };
}
