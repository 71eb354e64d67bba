import { ConversionError } from "./conversion_error.ts";

/** What the conversion has to know about one model type of the Hugging Face library. */
export interface Architecture {
  /** `model_type`, and for BARThez a name of its own: its checkpoints carry `mbart`. */
  readonly type: string;
  /** First part of its class names: `Bert` of `BertForMaskedLM`. */
  readonly classPrefix: string;
  /** Prefix of the base model's keys in a checkpoint with a head. */
  readonly prefix: string;
  /** Added to the length in `max_position_embeddings`. */
  readonly configOffset: number;
  /** First rows of the position table that stand for no position. */
  readonly positionOffset: number;
  /** Key of the table of global embeddings, without prefix. */
  readonly globals: string;
  /** Keys of the position tables, without prefix; the first one is the encoder's. */
  readonly positions: readonly string[];
  /** Sinusoidal positions are computed for the new length instead of tiled. */
  readonly sinusoidal: boolean;
  /** Keys that may hold the word embeddings, whole: with tied weights a file has only one of them. */
  readonly words: readonly string[];
  /** Key of the token types whose first row is added to the globals, without prefix; absent where the reference adds none. */
  readonly tokenTypes?: string;
  /** Endings of class names that the conversion knows. */
  readonly heads: readonly Head[];
  readonly defaultHead: Head;
  readonly encoderDecoder: boolean;
  /** Special tokens of the type's tokenizer class, for folders whose files do not name them. */
  readonly tokens: { readonly first?: string; readonly mask: string };
}

/** Ending of a class name, with the automatic class that finds it. */
export const AUTO_CLASSES = {
  Model: "AutoModel",
  ForCausalLM: "AutoModelForCausalLM",
  LMHeadModel: "AutoModelForCausalLM",
  ForMaskedLM: "AutoModelForMaskedLM",
  ForPreTraining: "AutoModelForPreTraining",
  ForMultipleChoice: "AutoModelForMultipleChoice",
  ForQuestionAnswering: "AutoModelForQuestionAnswering",
  ForSequenceClassification: "AutoModelForSequenceClassification",
  ForTokenClassification: "AutoModelForTokenClassification",
  ForConditionalGeneration: "AutoModelForSeq2SeqLM",
} as const;

/** Ending of a class name. */
export type Head = keyof typeof AUTO_CLASSES;

const TASKS = [
  "ForMaskedLM",
  "ForMultipleChoice",
  "ForQuestionAnswering",
  "ForSequenceClassification",
  "ForTokenClassification",
] as const satisfies readonly Head[];

const SEQ2SEQ_HEADS = [
  "Model",
  "ForConditionalGeneration",
  "ForCausalLM",
  "ForQuestionAnswering",
  "ForSequenceClassification",
] as const satisfies readonly Head[];

type Given =
  & Pick<Architecture, "type" | "classPrefix" | "prefix" | "heads" | "defaultHead" | "tokens">
  & Partial<Architecture>;

function encoder(given: Given & { readonly tied: readonly string[] }): Architecture {
  const { tied, ...rest } = given;
  return {
    configOffset: 0,
    positionOffset: 0,
    globals: "embeddings.global_embeddings.weight",
    positions: ["embeddings.position_embeddings.weight"],
    sinusoidal: false,
    words: [
      `${given.prefix}embeddings.word_embeddings.weight`,
      "embeddings.word_embeddings.weight",
      ...tied,
    ],
    encoderDecoder: false,
    ...rest,
  };
}

function roberta(type: string, classPrefix: string): Architecture {
  return encoder({
    type,
    classPrefix,
    prefix: "roberta.",
    configOffset: 2,
    positionOffset: 2,
    heads: ["Model", "ForCausalLM", ...TASKS],
    defaultHead: "ForMaskedLM",
    tokens: { first: "<s>", mask: "<mask>" },
    tied: ["lm_head.decoder.weight"],
  });
}

function seq2seq(type: string, classPrefix: string, given: Partial<Architecture> = {}) {
  return {
    type,
    classPrefix,
    prefix: "model.",
    configOffset: 0,
    positionOffset: 2,
    globals: "encoder.global_embeddings.weight",
    positions: ["encoder.embed_positions.weight", "decoder.embed_positions.weight"],
    sinusoidal: false,
    words: [
      "model.shared.weight",
      "shared.weight",
      "model.encoder.embed_tokens.weight",
      "encoder.embed_tokens.weight",
      "model.decoder.embed_tokens.weight",
      "decoder.embed_tokens.weight",
      "lm_head.weight",
    ],
    heads: SEQ2SEQ_HEADS,
    defaultHead: "ForConditionalGeneration",
    encoderDecoder: true,
    tokens: { first: "<s>", mask: "<mask>" },
    ...given,
  } satisfies Architecture;
}

const WORD_PIECE = { first: "[CLS]", mask: "[MASK]" };

/** The types that lsg-converter 0.1.9 converts. */
export const ARCHITECTURES: readonly Architecture[] = [
  encoder({
    type: "albert",
    classPrefix: "Albert",
    prefix: "albert.",
    tokenTypes: "embeddings.token_type_embeddings.weight",
    heads: ["Model", "ForPreTraining", ...TASKS],
    defaultHead: "ForPreTraining",
    tokens: WORD_PIECE,
    tied: ["predictions.decoder.weight"],
  }),
  seq2seq("bart", "Bart"),
  seq2seq("barthez", "MBart"),
  encoder({
    type: "bert",
    classPrefix: "Bert",
    prefix: "bert.",
    tokenTypes: "embeddings.token_type_embeddings.weight",
    heads: ["Model", "ForPreTraining", "LMHeadModel", ...TASKS],
    defaultHead: "ForPreTraining",
    tokens: WORD_PIECE,
    tied: ["cls.predictions.decoder.weight"],
  }),
  roberta("camembert", "Camembert"),
  encoder({
    type: "distilbert",
    classPrefix: "DistilBert",
    prefix: "distilbert.",
    heads: ["Model", ...TASKS],
    defaultHead: "ForMaskedLM",
    tokens: WORD_PIECE,
    tied: ["vocab_projector.weight"],
  }),
  encoder({
    type: "electra",
    classPrefix: "Electra",
    prefix: "electra.",
    tokenTypes: "embeddings.token_type_embeddings.weight",
    heads: ["Model", "ForPreTraining", "ForCausalLM", ...TASKS],
    defaultHead: "ForPreTraining",
    tokens: WORD_PIECE,
    tied: ["generator_lm_head.weight"],
  }),
  seq2seq("mbart", "MBart"),
  seq2seq("pegasus", "Pegasus", {
    positionOffset: 0,
    sinusoidal: true,
    heads: ["Model", "ForCausalLM", "ForConditionalGeneration"],
    // No first token of its own: config.json says which id stands for it.
    tokens: { mask: "<mask_2>" },
  }),
  roberta("roberta", "Roberta"),
  roberta("xlm-roberta", "XLMRoberta"),
];

/** Names of the types. */
export const ARCHITECTURE_TYPES: readonly string[] = ARCHITECTURES.map(({ type }) => type);

/**
 * The architecture of a `model_type`.
 *
 * @throws {ConversionError} For a type that cannot be converted.
 */
export function architectureOfType(type: unknown): Architecture {
  const found = ARCHITECTURES.find((architecture) => architecture.type === type);
  if (found) return found;
  throw new ConversionError(
    `Cannot convert: model_type is ${JSON.stringify(type) ?? "missing"}, expected one that has a ` +
      "local-sparse-global form",
    { given: String(type), known: ARCHITECTURE_TYPES },
  );
}

/**
 * Class of the converted model: the one asked for, else the one of config.json, else the type's default.
 *
 * @param names Names to choose from in this order, with or without "LSG" in front; undefined where none is given.
 * @throws {ConversionError} For a class without an LSG form.
 */
export function lsgClass(
  architecture: Architecture,
  names: readonly (string | undefined)[],
): `LSG${string}` {
  const { classPrefix, heads, defaultHead } = architecture;
  const name = names.find((given) => given !== undefined) ?? classPrefix + defaultHead;
  const plain = name.replace(/^LSG/, "");
  const known = heads.map((head) => classPrefix + head);
  if (known.includes(plain)) return `LSG${plain}`;
  throw new ConversionError(
    `Cannot convert: architecture is ${JSON.stringify(name)}, expected a ${architecture.type} ` +
      "class that has a local-sparse-global form; name one with --architecture",
    { given: plain, known },
  );
}

/** `auto_map` of the converted config.json: where the published classes are. */
export function autoMap(architecture: Architecture): Record<string, string> {
  const { type, classPrefix, heads } = architecture;
  const module = `modeling_lsg_${type.replaceAll("-", "_")}`;
  return {
    AutoConfig: `${module}.LSG${classPrefix}Config`,
    ...Object.fromEntries(
      heads.map((head) => [AUTO_CLASSES[head], `${module}.LSG${classPrefix}${head}`]),
    ),
  };
}
