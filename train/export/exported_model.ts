import {
  Gpt2,
  type Gpt2Config,
  type LanguageModel,
  Leap,
  type LeapConfig,
} from "../../models/mod.ts";
import type { LeapVariant } from "../../attention/mod.ts";
import type { Tokenizer } from "../../data/mod.ts";
import { SafetensorsError } from "../safetensors_error.ts";

/** What a checkpoint must say about the model for others to load it. */
export interface ModelDescription {
  readonly model:
    | { readonly kind: "gpt2"; readonly config: Gpt2Config }
    | { readonly kind: "leap"; readonly config: LeapConfig };
  readonly tokenizer: TokenizerDescription;
}

/** The tokenizer that the weights belong to. */
export interface TokenizerDescription {
  readonly name: string;
  readonly vocabSize: number;
  readonly endOfText: number;
  readonly fingerprint: string;
  /** Contents of its tokenizer.json; null for one known by name alone. */
  readonly json: unknown;
}

/** Kinds of models that a checkpoint can name. */
export const EXPORTED_KINDS = ["gpt2", "leap"] as const;

/**
 * Describes a trained model, to be put in the `extra` of its checkpoint.
 *
 * @returns An empty object for a model that has no exporter.
 */
export function describeModel(
  model: LanguageModel,
  tokenizer: Tokenizer,
): Record<string, unknown> {
  const kind = model instanceof Gpt2 ? "gpt2" : model instanceof Leap ? "leap" : undefined;
  if (!kind) return {};
  const { config } = model as Gpt2 | Leap;
  return {
    model: { kind, config },
    tokenizer: {
      name: tokenizer.name,
      vocabSize: tokenizer.vocabSize,
      endOfText: tokenizer.specials.endOfText,
      fingerprint: tokenizer.fingerprint(),
      json: tokenizer.toTokenizerJson?.() ?? null,
    },
  };
}

/**
 * Reads a description back.
 *
 * @param extra State of a checkpoint.
 * @param name What to call the checkpoint in errors.
 * @throws {SafetensorsError} If there is none, or it names a kind of model that is not known.
 */
export function readModelDescription(
  extra: Readonly<Record<string, unknown>>,
  name: string,
): ModelDescription {
  const { model, tokenizer } = extra as Partial<ModelDescription>;
  if (!model || !tokenizer) {
    throw new SafetensorsError(
      `Cannot export ${name}: it does not say which model it holds; ` +
        "use the weights that a finished run leaves in the checkpoints folder of the cache",
    );
  }
  if (!EXPORTED_KINDS.includes(model.kind)) {
    throw new SafetensorsError(
      `Cannot export ${name}: its model is of kind ${JSON.stringify(model.kind)}, expected ` +
        EXPORTED_KINDS.join(" or "),
    );
  }
  requireSizes(model.config, name);
  if (model.kind === "leap" && !LEAP_VARIANTS.includes(`${model.config.variant}`)) {
    throw new SafetensorsError(
      `Cannot export ${name}: its variant is ${JSON.stringify(model.config.variant)}, expected ` +
        LEAP_VARIANTS.join(" or "),
    );
  }
  return { model, tokenizer };
}

const LEAP_VARIANTS: readonly string[] = [
  "2022-08",
  "1.0",
  "1.0.1",
] satisfies LeapVariant[];

const SIZES = ["vocabSize", "positions", "width", "heads", "layers"] as const;

function requireSizes(config: Gpt2Config | LeapConfig, name: string): void {
  for (const key of SIZES) {
    const value: unknown = config?.[key];
    if (!Number.isInteger(value) || value as number < 1) {
      throw new SafetensorsError(
        `Cannot export ${name}: its ${key} is ${value}, expected a positive integer`,
      );
    }
  }
  if (config.width % config.heads !== 0) {
    throw new SafetensorsError(
      `Cannot export ${name}: its width is ${config.width}, expected a multiple of its ` +
        `${config.heads} heads`,
    );
  }
}
