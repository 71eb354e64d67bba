import { isLsgConfig, PublishedConfig } from "../../models/mod.ts";
import { type Architecture, autoMap } from "./architectures.ts";
import { ConversionError } from "./conversion_error.ts";
import { LSG_FIELD_NAMES, lsgFields } from "./lsg_fields.ts";

type Config = Record<string, unknown>;

/** What config.json says about the source as an LSG model. */
export interface SourceIdentity {
  /** First name in `architectures`. */
  readonly className: string | undefined;
  /** The source is an LSG model already. */
  readonly isLsg: boolean;
}

/** Reads {@link SourceIdentity} as lsg-converter does. */
export function sourceIdentity(config: Readonly<Config>): SourceIdentity {
  const { architectures } = config;
  const first: unknown = Array.isArray(architectures) ? architectures[0] : architectures;
  return {
    className: typeof first === "string" ? first : undefined,
    isLsg: isLsgConfig(new PublishedConfig(config)),
  };
}

/**
 * The converted config.json: all fields of the source, those of LSG, the published classes, the new length. Keys are sorted, as the
 * library writes them.
 *
 * @param set Fields to change: those of LSG, and those that the source has.
 * @param note Takes what may surprise, a sentence each.
 * @throws {ConversionError} For a field that is not known, or a value that does not work.
 */
export function convertedConfig(
  source: Readonly<Config>,
  architecture: Architecture,
  given: {
    readonly className: string;
    readonly maxLength: number;
    readonly set: Readonly<Config>;
    /** The source's own LSG fields count. */
    readonly isLsg: boolean;
  },
  note: (text: string) => void,
): Config {
  const { className, maxLength, set, isLsg } = given;
  requireKnown(source, architecture, set);
  const merged = { ...source, ...set };
  const lsg = lsgFields(
    isLsg ? merged : set,
    { heads: attentionHeads(merged), encoderDecoder: architecture.encoderDecoder },
    note,
  );
  if ((merged.position_embedding_type ?? "absolute") !== "absolute") {
    note(
      `position_embedding_type is ${JSON.stringify(merged.position_embedding_type)}: ` +
        "local-sparse-global attention leaves relative positions out.",
    );
  }
  const config: Config = {
    ...merged,
    ...lsg,
    architectures: [className],
    auto_map: autoMap(architecture),
    max_position_embeddings: maxLength + architecture.configOffset,
  };
  return Object.fromEntries(Object.entries(config).sort(([a], [b]) => a < b ? -1 : 1));
}

/** Written by the conversion itself, so not settable. */
const OWN_FIELDS = [
  "architectures",
  "auto_map",
  "base_model_prefix",
  "max_position_embeddings",
  "model_type",
];

function requireKnown(
  source: Readonly<Config>,
  architecture: Architecture,
  set: Readonly<Config>,
): void {
  const lsg = LSG_FIELD_NAMES.filter((name) =>
    architecture.encoderDecoder || name !== "pass_global_tokens_to_decoder"
  );
  const known = [...new Set([...lsg, ...Object.keys(source)])].filter((name) =>
    !OWN_FIELDS.includes(name)
  );
  const unknown = Object.keys(set).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new ConversionError(
      `Cannot convert: ${JSON.stringify(unknown)} is no field that --set can change`,
      { given: unknown, known },
    );
  }
}

function attentionHeads(config: Readonly<Config>): number {
  const { encoder_attention_heads, n_heads, num_attention_heads } = config;
  const heads = encoder_attention_heads ?? num_attention_heads ?? n_heads;
  return typeof heads === "number" ? heads : Infinity;
}
