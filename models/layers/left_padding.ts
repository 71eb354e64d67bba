import { gather, mul, pad, reshape, type Tensor } from "../../engine/mod.ts";

/** Ids and key mask of sequences padded on the left. */
export interface LeftPadded {
  /** i32 [B, T] */
  readonly ids: Tensor;
  /** 1 for real tokens, i32 [B, T]; undefined when every token is real. */
  readonly keyMask: Tensor | undefined;
  /** Positions added in front. */
  readonly added: number;
}

/** Pads ids i32 [B, T] on the left to `length` positions and masks what was added. */
export function padLeft(ids: Tensor, keyMask: Tensor | undefined, length: number): LeftPadded {
  const added = length - ids.dim(1);
  if (added === 0) return { ids, keyMask, added };
  const ones = keyMask ?? ids.gpu.full(ids.shape, 1, "i32");
  return {
    ids: pad(ids, [0, added], [0, 0]),
    keyMask: pad(ones, [0, added], [0, 0]),
    added,
  };
}

/** x [B, T, D] with 0 at the positions that the mask i32 [B, T] hides. */
export function zeroMasked(x: Tensor, keyMask: Tensor): Tensor {
  const values = gather(x.gpu.tensor([0, 1], [2]), 0, keyMask);
  return mul(x, reshape(values, [x.dim(0), x.dim(1), 1]));
}
