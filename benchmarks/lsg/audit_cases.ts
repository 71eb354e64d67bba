import { type LsgPattern, SPARSITY_TYPES, type SparsityType } from "../../attention/mod.ts";
import type { EncoderAttention } from "../../models/mod.ts";
import type { AttentionCase } from "./attention_case.ts";
import { parseVariant } from "./variants.ts";

/** Small heads, so that every audit is cheap; 6 is no multiple of any vector width. */
const HEADS = { H: 2, d: 6 };
const DROPOUT = { p: 0.2, seed: 5, stream: 3 };

/** An attention in its two forms, and an input for both. */
export interface ParityCase {
  readonly given: AttentionCase;
  readonly fused: EncoderAttention;
  readonly naive: EncoderAttention;
}

/** Parity of one variant: a length that no block divides, padding, dropout, and a text so short that LSG attends in full. */
export function variantCases(name: string): ParityCase[] {
  const base = name.replace(/-naive$/, "");
  const [fused, naive] = [parseVariant(base), parseVariant(`${base}-naive`)];
  const block = Number(/\d+/.exec(base)?.[0] ?? 16);
  const long = fused.family === "full" ? 70 : blocksNeeded(fused.attention(1)) * block + 5;
  const make = (T: number, rest: Partial<AttentionCase>, globals = 1): ParityCase => {
    // Longformer and BigBird take their globals from the text.
    const N = fused.family === "lsg" ? T + globals : T;
    const title = [`T ${T}`, rest.valid && "padding", rest.dropout && "dropout"];
    return {
      given: { name: title.filter(Boolean).join(" "), B: 1, N, ...HEADS, ...rest },
      fused: fused.attention(globals),
      naive: naive.attention(globals),
    };
  };
  return [
    make(long, { B: 2, valid: [long, Math.floor(1.4 * block) + 2] }),
    make(long, { dropout: DROPOUT }, 2),
    make(Math.max(3, block - 3), {}),
  ];
}

/** Blocks of a text whose pattern hides something: of fewer, window and random blocks see the whole. */
function blocksNeeded(attention: EncoderAttention): number {
  return typeof attention !== "string" && attention.kind === "bigbird"
    ? attention.randomBlocks + 6
    : 3;
}

/** The variant with a pattern that is wrong by a little: a key more on each side, other random blocks, or one global more, which moves every block by a token. */
export function faultyAttention(name: string): EncoderAttention | undefined {
  const attention = parseVariant(`${name.replace(/-naive$/, "")}-naive`).attention(1);
  if (typeof attention === "string") return undefined;
  switch (attention.kind) {
    case "longformer":
      return { ...attention, window: attention.window + 1 };
    case "bigbird":
      return { ...attention, seed: (attention.seed ?? 0) + 1 };
    case "lsg":
      return { ...attention, globals: attention.globals + 1 };
  }
}

/** Patterns of the selection audit: small blocks, so that every type is compared often. */
export interface SelectionCase {
  readonly name: string;
  readonly given: AttentionCase;
  readonly pattern: LsgPattern;
}

const patternOf = (
  sparsityType: SparsityType,
  blockSize: number,
  sparseBlockSize: number,
  sparsityFactor: number,
  rest: Partial<LsgPattern> = {},
): LsgPattern => ({
  ...{ globals: 1, blockSize, sparseBlockSize, sparsityFactor, sparsityType },
  ...rest,
});

/** Every way of one selection type: factors, unequal block sizes, padding, several globals, a hidden first token, the causal form. */
export function selectionCases(type: SparsityType): SelectionCase[] {
  const patterns: [string, LsgPattern][] = [
    ["4/4 f2", patternOf(type, 4, 4, 2)],
    ["8/8 f4, first token hidden", patternOf(type, 8, 8, 4, { maskFirstToken: true })],
    ["8/4 f2, 3 globals", patternOf(type, 8, 4, 2, { globals: 3 })],
    ["4/8 f2", patternOf(type, 4, 8, 2)],
    ["4/4 f1", patternOf(type, 4, 4, 1)],
    ["4/4 f2 causal", patternOf(type, 4, 4, 2, { causal: true })],
  ];
  return patterns.flatMap(([name, pattern], i) => {
    const B = pattern.blockSize;
    const lengths = i === 0 ? [4 * B, 5 * B + 3, 2 * B, 2 * B + 1] : [5 * B + 3];
    return lengths.flatMap((T) =>
      [false, true].map((padded): SelectionCase => {
        const N = pattern.globals + T;
        // Whole blocks of padding in one entry, and a block of a single token in another.
        const valid = [N, pattern.globals + Math.min(T, B + 1), pattern.globals + T - 2];
        return {
          name: `${name}, T ${T}${padded ? ", padding" : ""}`,
          given: padded ? { name, B: 3, N, ...HEADS, valid } : { name, B: 1, N, ...HEADS },
          pattern,
        };
      })
    );
  });
}

/** Selection types in the order of the specification. */
export const AUDITED_TYPES: readonly SparsityType[] = SPARSITY_TYPES;
