import { add, concat, pad, reshape, slice, type Tensor } from "../../engine/mod.ts";
import type { ForwardOptions } from "../language_model.ts";
import { ConfigError } from "../model_error.ts";

/**
 * Learned tokens in front of a text.
 *
 * @param table [512, E], of which the first `count` rows are used.
 * @param x [B, T, E].
 * @returns [B, count + T, E].
 */
export function prependGlobals(table: Tensor, count: number, x: Tensor): Tensor {
  const [B, , E] = x.shape;
  const rows = reshape(slice(table, [0, 0], [count, E]), [1, count, E]);
  return concat([add(x.gpu.zeros([B, count, E]), rows), x], 1);
}

/** Options of an encoder with global tokens. */
export interface GlobalTokenOptions {
  /** No token sees a global token; with short texts the states are those without global tokens. Needs a key mask. @default {false} */
  readonly hideGlobals?: boolean;
}

/** The key mask i32 [B, count + T] of a text with global tokens, which are seen unless they are hidden. */
export function maskWithGlobals(
  { keyMask, hideGlobals }: ForwardOptions & GlobalTokenOptions,
  count: number,
): Tensor | undefined {
  if (count === 0) return keyMask;
  if (keyMask) return pad(keyMask, [0, count], [0, 0], hideGlobals ? 0 : 1);
  if (!hideGlobals) return undefined;
  throw new ConfigError(
    "Cannot hide global tokens: there is no keyMask, expected one; give a mask of ones",
  );
}

/**
 * The text rows [B, T, D] of states [B, count + T, D].
 *
 * @param pooled The first of them is that of the first global token.
 */
export function textRows(x: Tensor, count: number, pooled: boolean): Tensor {
  if (count === 0) return x;
  if (!pooled) return slice(x, [0, count]);
  const first = slice(x, [0, 0], [x.dim(0), 1]);
  return x.dim(1) === count + 1 ? first : concat([first, slice(x, [0, count + 1])], 1);
}

/** The row [B, D] that stands for the whole text: the first text token, or the first global one in its place. */
export function firstTextRow(x: Tensor, count: number, pooled: boolean): Tensor {
  const [B, , D] = x.shape;
  const at = pooled ? 0 : count;
  return reshape(slice(x, [0, at, 0], [B, at + 1, D]), [B, D]);
}
