import {
  addScalar,
  concat,
  dropout,
  gather,
  matmul,
  mul,
  mulScalar,
  permute,
  reshape,
  softmax,
  type Tensor,
} from "../../engine/mod.ts";
import { headsFirst } from "../softmax/naive.ts";
import type { SeparateInput } from "../softmax/operands.ts";
import { type BlockSparseOptions, sparseOperands } from "./attention.ts";

/** A pattern as a rule on pairs of text tokens, written apart from the kernels' ranges. */
export interface DensePattern {
  readonly globals: number;
  /** May the query of text token `i` see the key of text token `j` in this head? */
  readonly sees: (i: number, j: number, head: number) => boolean;
  /** The rule is the same for all heads. @default {true} */
  readonly headless?: boolean;
  /** Text token 0 is no key. @default {false} */
  readonly hideFirst?: boolean;
}

/** Sparse keys as rows after the N positions. */
export interface DenseSlots {
  /** [B, H, S, d] */
  readonly k: Tensor;
  readonly v: Tensor;
  /** 1 where a slot may be seen, [B, H, 1, S]. */
  readonly visible: Tensor;
  /** May the query of text token `i` see slot `s`? */
  readonly sees: (i: number, s: number) => boolean;
}

/** What a naive form works on: q, k and v as [B, H, N, d], and 1 for keys that may be seen, [B, 1, 1, N]. */
export interface DenseOperands extends SeparateInput {
  readonly visible: Tensor;
}

/** Splits the packed projection and combines the key mask with the pattern's own. */
export function denseOperands(
  qkv: Tensor,
  { globals, hideFirst = false }: Pick<DensePattern, "globals" | "hideFirst">,
  { heads, keyMask }: BlockSparseOptions,
): DenseOperands {
  const operands = sparseOperands(qkv, globals, heads);
  const { B, Tk: N } = operands;
  const { gpu } = qkv;
  const hidden = Float32Array.from({ length: N }, (_, j) => hideFirst && j === globals ? 0 : 1);
  const own = gpu.tensor(hidden, [1, 1, 1, N]);
  const given = keyMask && gather(gpu.tensor([0, 1], [2]), 0, keyMask.view([B, 1, 1, N]));
  const visible = mul(gpu.full([B, 1, 1, N], 1), given ? mul(given, own) : own);
  return { ...headsFirst(qkv, operands), visible };
}

/**
 * Attention of a pattern in plain operations with the whole, masked [N, N + S] matrix: what the fused kernels are compared with. Its cost
 * is that of full attention (dense-masked), whatever the pattern.
 *
 * @returns As the fused form.
 */
export function denseMaskedAttention(
  qkv: Tensor,
  pattern: DensePattern,
  options: BlockSparseOptions,
  slots?: DenseSlots,
): Tensor {
  const operands = sparseOperands(qkv, pattern.globals, options.heads);
  const { B, H, Tk: N, d } = operands;
  const { q, k, v, visible } = denseOperands(qkv, pattern, options);
  const keys = slots ? concat([k, slots.k], 2) : k;
  const values = slots ? concat([v, slots.v], 2) : v;
  const columns = keys.dim(2);
  const perHead = mul(qkv.gpu.full([B, H, 1, N], 1), visible);
  const seen = mul(
    slots ? concat([perHead, slots.visible], 3) : perHead,
    pairs(qkv, pattern, slots, H, N, columns),
  ); // [B, H, N, N + S]
  const scores = matmul(q, keys, { transposeB: true, scale: options.scale ?? 1 / Math.sqrt(d) });
  const mask = mulScalar(addScalar(seen, -1), 1e30);
  const probabilities = mul(softmax(scores, { mask }), seen);
  const used = options.dropout ? dropout(probabilities, options.dropout) : probabilities;
  return reshape(permute(matmul(used, values), [0, 2, 1, 3]), operands.outputShape);
}

/** 1 where a query may see a column, [1 or H, N, N + S]. */
function pairs(
  { gpu }: Tensor,
  { globals: G, sees, headless = true }: DensePattern,
  slots: DenseSlots | undefined,
  H: number,
  N: number,
  columns: number,
): Tensor {
  const heads = headless ? 1 : H;
  const values = new Float32Array(heads * N * columns);
  for (let h = 0; h < heads; h++) {
    for (let i = 0; i < N; i++) {
      for (let j = 0; j < columns; j++) {
        const visible = j >= N
          ? i >= G && slots!.sees(i - G, j - N)
          : i < G || j < G || sees(i - G, j - G, h);
        values[(h * N + i) * columns + j] = Number(visible);
      }
    }
  }
  return gpu.tensor(values, [heads, N, columns]);
}
