import { concat, reshape, slice, type Tensor } from "../../engine/mod.ts";
import { fusedAttention } from "../softmax/fused.ts";
import { naiveAttention } from "../softmax/naive.ts";
import { attentionOperands } from "../softmax/operands.ts";
import type { LsgAttentionOptions } from "./options.ts";

/**
 * Ordinary attention over globals and text, for texts of at most two blocks. The causal form has text see the globals and its own past,
 * and gives each global its own query as output, as the long form does.
 */
export function lsgFullAttention(
  qkv: Tensor,
  options: LsgAttentionOptions,
  form: "fused" | "naive",
): Tensor {
  const { heads, globals, causal = false, scale, dropout } = options;
  const attend = form === "fused" ? fusedAttention : naiveAttention;
  const keyMask = options.maskFirstToken
    ? withoutFirst(qkv, options.keyMask, globals)
    : options.keyMask;
  const output = attend(qkv, { heads, causal, keyMask, scale, dropout });
  return causal ? globalQueries(qkv, output, heads, globals) : output;
}

/** `output` with the globals' rows replaced by their own queries. */
export function globalQueries(
  qkv: Tensor,
  output: Tensor,
  heads: number | undefined,
  globals: number,
): Tensor {
  const { B, Tk: N, H, d } = attentionOperands(qkv, heads);
  const D = H * d;
  const queries = slice(reshape(qkv, [B, N, 3 * D]), [0, 0, 0], [B, globals, D]);
  const text = slice(reshape(output, [B, N, D]), [0, globals, 0], [B, N, D]);
  return reshape(concat([queries, text], 1), output.shape);
}

/** The key mask i32 [B, N] with text token 0 hidden. */
function withoutFirst(qkv: Tensor, keyMask: Tensor | undefined, globals: number): Tensor {
  const { gpu } = qkv;
  const [B, N] = qkv.shape;
  const mask = keyMask ?? gpu.full([B, N], 1, "i32");
  const before = slice(mask, [0, 0], [B, globals]);
  const after = slice(mask, [0, globals + 1], [B, N]);
  return concat([before, gpu.full([B, 1], 0, "i32"), after], 1);
}
