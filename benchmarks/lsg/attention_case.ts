import type { AttentionDropout } from "../../attention/mod.ts";
import { normalAt, type Tensor } from "../../engine/mod.ts";
import type { TaskContext } from "../../harness/contract.ts";
import { attend } from "../../models/encoder_attention.ts";
import type { EncoderAttention } from "../../models/mod.ts";

/** One input of an attention and how it is called. */
export interface AttentionCase {
  readonly name: string;
  /** Batch, positions with globals, heads, head width. */
  readonly B: number;
  readonly N: number;
  readonly H: number;
  readonly d: number;
  /** Valid positions of each batch entry; all when left out. */
  readonly valid?: readonly number[];
  readonly dropout?: AttentionDropout;
}

/** Seeded qkv [B, N, 3, H, d]. */
export function drawQkv(
  { B, N, H, d }: Pick<AttentionCase, "B" | "N" | "H" | "d">,
  seed: number,
  stream = 0,
): Float32Array {
  return Float32Array.from({ length: B * N * 3 * H * d }, (_, i) => normalAt(seed, stream, i));
}

/** i32 [B, N], 1 up to the valid length of each entry. */
export function keyMaskOf({ B, N, valid }: AttentionCase): Int32Array | undefined {
  if (!valid) return undefined;
  const mask = new Int32Array(B * N);
  valid.forEach((length, b) => mask.fill(1, b * N, b * N + length));
  return mask;
}

/** Seeded gradient of the output [B, N, H, d]. */
export function upstreamOf({ B, N, H, d }: AttentionCase, seed: number): Float32Array {
  return Float32Array.from({ length: B * N * H * d }, (_, i) => normalAt(seed, 99, i));
}

/** Output [B, N, H, d] and gradient of qkv for a seeded gradient of the output. */
export async function attentionValues(
  { gpu }: Pick<TaskContext, "gpu">,
  attention: EncoderAttention,
  given: AttentionCase,
  qkv: Float32Array,
  seed: number,
): Promise<{ output: Float32Array; gradient: Float32Array }> {
  const { B, N, H, d, dropout } = given;
  const mask = keyMaskOf(given);
  const upstream = upstreamOf(given, seed);
  const later = gpu.scope(() => {
    const input = gpu.tensor(qkv, [B, N, 3, H, d]);
    input.requiresGrad = true;
    const keyMask = mask && gpu.tensor(mask, [B, N]);
    return gpu.withTape((tape) => {
      const y: Tensor = attend(input, { heads: H, attention, layer: 0, keyMask, dropout });
      const output = gpu.readLater(y).value as Promise<Float32Array>;
      const [gradient] = tape.backward(y, gpu.tensor(upstream, y.shape), [input]);
      return [output, gpu.readLater(gradient!).value as Promise<Float32Array>];
    });
  });
  gpu.submit();
  const [output, gradient] = await Promise.all(later);
  return { output, gradient };
}
