import { attendsFully, SPARSITY_TYPES, type SparsityType } from "../../attention/mod.ts";
import type { CellInput } from "../../harness/contract.ts";
import { isSparse } from "../../models/encoder_attention.ts";
import type { EncoderAttention } from "../../models/mod.ts";

/** A mechanism with its sizes. */
export interface Variant {
  readonly name: string;
  readonly family: "full" | "longformer" | "bigbird" | "lsg";
  readonly form: "fused" | "naive";
  /** What a claim about its cost may rest on. */
  readonly label: "dense" | "dense-masked" | "truly-sparse";
  /** Attention of an encoder; LSG puts `globals` learned tokens in front, the others use the first tokens of the text. */
  attention(globals: number): EncoderAttention;
}

/** How names are written. */
export const VARIANT_PATTERN =
  /^(?:full|longformer-\d+|bigbird-\d+-\d+|lsg-\d+-0|lsg-\d+-\d+-[a-z_]+-\d+)(?:-naive)?$/;

/**
 * Reads a name: `full`; `longformer-<keys on each side>`; `bigbird-<block>-<random blocks>`; `lsg-<block>-0`;
 * `lsg-<block>-<sparse block>-<type>-<factor>`; with `-naive` the form that materialises T x T scores.
 *
 * @throws {RangeError} If the name is none of these.
 */
export function parseVariant(name: string): Variant {
  if (!VARIANT_PATTERN.test(name)) throw unknown(name);
  const form = name.endsWith("-naive") ? "naive" : "fused";
  const [family, ...rest] = name.replace(/-naive$/, "").split("-");
  const [a, b] = rest.map(Number);
  const sparse = {
    name,
    form,
    label: form === "fused" ? "truly-sparse" : "dense-masked",
  } as const;
  switch (family) {
    case "full":
      return { name, family, form, label: "dense", attention: () => form };
    case "longformer":
      return {
        ...sparse,
        family,
        attention: (globals) => ({ kind: "longformer", form, window: a, globals }),
      };
    case "bigbird":
      return {
        ...sparse,
        family,
        attention: (globals) => ({
          ...{ kind: "bigbird", form, blockSize: a, randomBlocks: b, globals },
        }),
      };
    default: {
      const sparsityType = (b === 0 ? "none" : rest[2]) as SparsityType;
      if (!SPARSITY_TYPES.includes(sparsityType)) throw unknown(name);
      const sizes = {
        blockSize: a,
        sparseBlockSize: b,
        sparsityFactor: b === 0 ? 0 : Number(rest[3]),
        sparsityType,
      };
      return {
        ...sparse,
        family: "lsg",
        attention: (globals) => ({ kind: "lsg", form, globals, ...sizes }),
      };
    }
  }
}

/** True where a text of T tokens is so short that LSG falls back to full attention. */
export function fallsBack(attention: EncoderAttention, T: number): boolean {
  return isSparse(attention) && attention.kind === "lsg" && attendsFully(attention, T);
}

/** How a row of a variant on texts of T tokens says what its cost rests on. */
export function implementationOf(
  { form, label, attention }: Variant,
  globals: number,
  T: number,
): Pick<CellInput, "implementation" | "notes"> {
  const falls = fallsBack(attention(globals), T);
  return {
    implementation: { form, label: falls ? "dense" : label },
    notes: falls ? ["The text is no longer than two blocks: full attention."] : [],
  };
}

function unknown(name: string): RangeError {
  return new RangeError(
    `Cannot read the variant: name is "${name}", expected e.g. full, longformer-256, bigbird-64-3, lsg-256-0 or ` +
      `lsg-128-128-norm-2 (types ${SPARSITY_TYPES.join(", ")}), with -naive for the dense form`,
  );
}
