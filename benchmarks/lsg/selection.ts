import { runLsgSelection, selectionOf } from "../../attention/mod.ts";
import type { Tensor } from "../../engine/mod.ts";
import { isSparse } from "../../models/encoder_attention.ts";
import type { EncoderAttention } from "../../models/mod.ts";

/** The choice of sparse keys alone, as the fused form makes it; undefined where there is none to make. */
export function selectionRun(qkv: Tensor, attention: EncoderAttention): (() => void) | undefined {
  if (!isSparse(attention) || attention.kind !== "lsg") return undefined;
  if (selectionOf(attention) === "none") return undefined;
  const { kind: _, form: __, poolWithGlobal: ___, ...pattern } = attention;
  return () => qkv.gpu.scope(() => qkv.gpu.withoutTape(() => runLsgSelection(qkv, pattern)));
}
