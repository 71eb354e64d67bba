import type { AttentionSize } from "../attention/mod.ts";
import type { MatmulSize } from "../engine/mod.ts";

/** Products and attention calls that an autotuner should time before a model runs. */
export interface TuningSizes {
  readonly matmul: readonly MatmulSize[];
  readonly attention: readonly AttentionSize[];
}

/** Rows of logits that the fused cross-entropy has at once, roughly: 8 MiB of them. */
const logitRows = (tokens: number, vocabSize: number) =>
  Math.min(tokens, Math.max(64, Math.floor(2 ** 21 / vocabSize)));

/**
 * What a training step of a transformer with these sizes multiplies: forward, input gradients (B^T) and weight gradients (A^T) of the
 * projections, the MLP and the language head, and causal attention. Classes are powers of two, so near sizes share a choice.
 */
export function transformerTuningSizes(
  { width: D, heads, vocabSize: V }: {
    readonly width: number;
    readonly heads: number;
    readonly vocabSize: number;
  },
  B: number,
  T: number,
): TuningSizes {
  const rows = B * T;
  const products: [number, number, number][] = [
    [rows, D, D],
    [rows, 4 * D, D],
    [rows, D, 4 * D],
    [logitRows(rows, V), V, D],
  ];
  return {
    matmul: products.flatMap(([M, N, K]): MatmulSize[] => [
      { M, N, K },
      { M, N, K, transposeB: true },
      { M, N: K, K: N, transposeB: true },
      { M, N: K, K: N },
      { M: K, N, K: M, transposeA: true },
      { M: N, N: K, K: M, transposeA: true },
    ]),
    attention: [{ B, H: heads, T, d: D / heads, causal: true }],
  };
}
