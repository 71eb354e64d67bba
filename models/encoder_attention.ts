import {
  type AttentionFlops,
  attentionFlops,
  bigBirdFlops,
  checkBigBirdPattern,
  checkLongformerPattern,
  checkLsgPattern,
  fusedAttention,
  fusedBigBirdAttention,
  fusedLongformerAttention,
  fusedLsgAttention,
  longformerFlops,
  lsgFlops,
  type LsgPattern,
  naiveAttention,
  naiveBigBirdAttention,
  naiveLongformerAttention,
  naiveLsgAttention,
} from "../attention/mod.ts";
import type { Tensor } from "../engine/mod.ts";
import type { DropoutSite } from "./layers/regularization.ts";
import { ConfigError } from "./model_error.ts";

/** Local-sparse-global attention (Condevaux and Harispe 2023); `globals` learned tokens are put in front of the text. */
export interface LsgEncoderAttention extends LsgPattern {
  readonly kind: "lsg";
  /** @default {"fused"} */
  readonly form?: "fused" | "naive";
  /** The first text token leaves the encoder with the states of the first global token. @default {true} */
  readonly poolWithGlobal?: boolean;
}

/** Sliding window and global tokens (Beltagy et al. 2020). */
export interface LongformerEncoderAttention {
  readonly kind: "longformer";
  /** @default {"fused"} */
  readonly form?: "fused" | "naive";
  /** Keys seen on each side. */
  readonly window: number;
  /** Leading tokens of the text that see and are seen by all. @default {1} */
  readonly globals?: number;
}

/** Window of three blocks, random blocks and global tokens (Zaheer et al. 2020). */
export interface BigBirdEncoderAttention {
  readonly kind: "bigbird";
  /** @default {"fused"} */
  readonly form?: "fused" | "naive";
  readonly blockSize: number;
  /** Random blocks of keys per block of queries and head. */
  readonly randomBlocks: number;
  /** Layer i draws with seed + i. @default {0} */
  readonly seed?: number;
  /** Leading tokens of the text that see and are seen by all. @default {1} */
  readonly globals?: number;
}

/** An attention whose cost is linear in the length. */
export type SparseEncoderAttention =
  | LsgEncoderAttention
  | LongformerEncoderAttention
  | BigBirdEncoderAttention;

/** Self-attention of an encoder: full attention in one of two forms, or a sparse one. */
export type EncoderAttention = "fused" | "naive" | SparseEncoderAttention;

/** One attention of one layer. */
export interface EncoderAttentionCall {
  readonly heads: number;
  readonly attention: EncoderAttention;
  /** Number of the layer from 0; seeded choices differ between layers. */
  readonly layer: number;
  /** 1 where a key may be seen, i32 [B, N], prepended global tokens included. */
  readonly keyMask?: Tensor;
  readonly dropout?: DropoutSite;
}

/** Self-attention of packed query, key and value [B, N, 3D]: [B, N, D], before the output projection. */
export function attend(qkv: Tensor, call: EncoderAttentionCall): Tensor {
  const { attention, layer, heads, keyMask, dropout } = call;
  const common = { heads, keyMask, dropout };
  if (attention === "fused") return fusedAttention(qkv, common);
  if (attention === "naive") return naiveAttention(qkv, common);
  const fused = attention.form !== "naive";
  switch (attention.kind) {
    case "lsg": {
      const { kind: _, form: __, poolWithGlobal: ___, ...pattern } = attention;
      // Seeds have 32 bits.
      const lshSeed = ((pattern.lshSeed ?? 0) + layer) >>> 0;
      const options = { ...common, ...pattern, lshSeed };
      return (fused ? fusedLsgAttention : naiveLsgAttention)(qkv, options);
    }
    case "longformer": {
      const { window, globals = 1 } = attention;
      const options = { ...common, window, globals };
      return (fused ? fusedLongformerAttention : naiveLongformerAttention)(qkv, options);
    }
    case "bigbird": {
      const { blockSize, randomBlocks, seed = 0, globals = 1 } = attention;
      const options = { ...common, blockSize, randomBlocks, globals, seed: seed + layer };
      return (fused ? fusedBigBirdAttention : naiveBigBirdAttention)(qkv, options);
    }
  }
}

/** Floating-point operations of one layer's attention over texts of T tokens; see the `Flops` function of each mechanism. */
export function encoderAttentionFlops(
  attention: EncoderAttention,
  { B, H, T, d }: { B: number; H: number; T: number; d: number },
): AttentionFlops {
  if (!isSparse(attention)) return attentionFlops({ B, H, T, d });
  if (attention.kind === "lsg") return lsgFlops({ B, H, T, d, ...attention });
  // The global tokens are part of the text here, and counted apart by the mechanisms.
  const { globals = 1 } = attention;
  const sizes = { B, H, T: T - globals, d };
  return attention.kind === "longformer"
    ? longformerFlops({ ...sizes, ...attention, globals })
    : bigBirdFlops({ ...sizes, ...attention, globals });
}

/** Learned tokens that this attention puts in front of the text. */
export function prependedGlobals(attention: EncoderAttention): number {
  return isSparse(attention) && attention.kind === "lsg" ? attention.globals : 0;
}

/** True for an attention that does not see all pairs. */
export function isSparse(attention: EncoderAttention): attention is SparseEncoderAttention {
  return typeof attention !== "string";
}

/** True when the first text token takes the states of the first global token. */
export function poolsWithGlobal(attention: EncoderAttention): boolean {
  return isSparse(attention) && attention.kind === "lsg" && attention.poolWithGlobal !== false;
}

/**
 * Checks the numbers of a sparse attention.
 *
 * @throws {RangeError} If one breaks a rule of its mechanism.
 */
export function checkEncoderAttention(what: string, attention: EncoderAttention): void {
  if (!isSparse(attention)) return;
  switch (attention.kind) {
    case "longformer":
      return checkLongformerPattern({ globals: 1, ...attention });
    case "bigbird":
      return checkBigBirdPattern({ globals: 1, ...attention });
    case "lsg":
      checkLsgPattern(attention);
      if (!attention.maskFirstToken || attention.poolWithGlobal !== false) return;
      throw new ConfigError(
        `Cannot build ${what}: maskFirstToken is true and poolWithGlobal false, expected poolWithGlobal to be true ` +
          "where the first token is hidden; leave poolWithGlobal out",
      );
  }
}
