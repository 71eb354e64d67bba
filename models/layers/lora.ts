import {
  concat,
  constant,
  matmul,
  mulScalar,
  normal,
  type Parameter,
  type ParameterSet,
  reshape,
  type Tensor,
} from "../../engine/mod.ts";
import { ConfigError } from "../model_error.ts";

/** Rank and strength of low-rank branches (Hu et al. 2021). */
export interface LoraConfig {
  readonly rank: number;
  /** The branch is multiplied by alpha / rank. */
  readonly alpha: number;
}

/**
 * A second causal attention whose query, key and value projections are the low-rank product A B. It shares the block's output projection
 * (without the bias) and is added with the factor alpha / rank. B starts at 0, so that its values and its output are 0.
 */
export interface LoraBranch<T extends Tensor = Tensor> {
  /** [D, rank] */
  readonly a: T;
  /** [rank, 3 D] */
  readonly b: T;
  /** alpha / rank */
  readonly scale: number;
}

/** Throws unless rank is a positive integer of at most `width` and alpha positive. */
export function checkLora(what: string, { rank, alpha }: LoraConfig, width: number): void {
  if (!(Number.isInteger(rank) && rank >= 1 && rank <= width && alpha > 0)) {
    throw new ConfigError(
      `Cannot build ${what}: the LoRA rank is ${rank} and alpha ${alpha}, expected a rank of 1 to the width (${width}) and a positive alpha`,
    );
  }
}

/** Declares a branch of width `width`; A is normal with deviation `std`, B zero. */
export function declareLora(
  set: ParameterSet,
  name: string,
  width: number,
  { rank, alpha }: LoraConfig,
  { std, trainable }: { std: number; trainable: boolean },
): LoraBranch<Parameter> {
  return {
    a: set.add(`${name}.a`, [width, rank], normal(std), { trainable }),
    b: set.add(`${name}.b`, [rank, 3 * width], constant(0), { trainable }),
    scale: alpha / rank,
  };
}

/** Packed query, key and value [B, T, 3D] of normed z [B, T, D]. */
export function loraQkv(z: Tensor, { a, b }: LoraBranch): Tensor {
  return matmul(matmul(z, a), b);
}

/** One attention layer: packed projection [D, 3nD] with n times the heads, and its output projection [nD, D]. */
export interface MergedAttention {
  readonly qkv: { readonly weight: Tensor; readonly bias: Tensor };
  readonly projection: { readonly weight: Tensor; readonly bias: Tensor };
  /** Attentions merged (n), the factor on the number of heads. */
  readonly attentions: number;
}

/**
 * Merges low-rank branches into their attention for inference: the branches' heads stand beside the attention's own, and the output projection
 * has a block of rows for each, scaled. One product, one attention kernel and one projection instead of a chain of them; the same function up
 * to rounding. (A branch has a softmax of its own, so its weights cannot simply be added to those of the attention.)
 */
export function mergeLora(
  qkv: { readonly weight: Tensor; readonly bias: Tensor },
  projection: { readonly weight: Tensor; readonly bias: Tensor },
  branches: readonly LoraBranch[],
): MergedAttention {
  const { gpu } = qkv.weight;
  const width = projection.weight.dim(0);
  const attentions = branches.length + 1;
  const parts = [qkv.weight, ...branches.map(({ a, b }) => matmul(a, b))];
  const zeros = gpu.zeros([3, width]);
  return {
    qkv: {
      weight: reshape(
        concat(parts.map((w) => reshape(w, [width, 3, width])), 2),
        [width, 3 * attentions * width],
      ),
      bias: reshape(
        concat([reshape(qkv.bias, [3, width]), ...branches.map(() => zeros)], 1),
        [3 * attentions * width],
      ),
    },
    projection: {
      weight: concat([
        projection.weight,
        ...branches.map(({ scale }) => mulScalar(projection.weight, scale)),
      ], 0),
      bias: projection.bias,
    },
    attentions,
  };
}
