import { padRows } from "../../data/mod.ts";
import type { Tensor } from "../../engine/mod.ts";
import type { Bert } from "../../models/mod.ts";

/** An input as a model sees it. */
export interface EncoderInput {
  readonly ids: Int32Array;
  /** First token of the second text, where there is one: token type 1 from there on. */
  readonly secondFrom?: number;
}

/** Padded inputs on the GPU. */
export interface EncoderBatch<D> {
  /** i32 [B, T] */
  readonly ids: Tensor;
  readonly options: {
    readonly keyMask: Tensor;
    readonly tokenTypes?: Tensor;
    readonly dropoutSeed?: number;
  };
  readonly items: readonly D[];
  /** Brings further numbers of the items to the GPU. */
  readonly upload: (name: string, data: Int32Array) => Tensor;
}

/** Places an array on the GPU. */
export type Upload = (name: string, data: Int32Array, shape: readonly number[]) => Tensor;

/** Padded lengths are multiples of this, so that few shapes come up. */
const LENGTH_STEP = 16;

/** Pads inputs to a common length and uploads them. */
export function encoderBatch<D extends EncoderInput>(
  model: Bert,
  items: readonly D[],
  padId: number,
  upload: Upload,
  dropoutSeed?: number,
): EncoderBatch<D> {
  const longest = items.reduce((most, { ids }) => Math.max(most, ids.length), 1);
  const padded = Math.ceil(longest / LENGTH_STEP) * LENGTH_STEP;
  const T = Math.max(longest, Math.min(padded, model.maxLength));
  const batch = padRows(items.map(({ ids }) => ids), padId, T);
  const shape = [items.length, T];
  const types = items.some(({ secondFrom }) => secondFrom !== undefined)
    ? new Int32Array(items.length * T)
    : undefined;
  items.forEach(({ secondFrom }, b) => {
    if (secondFrom !== undefined) types!.fill(1, b * T + secondFrom, (b + 1) * T);
  });
  return {
    ids: upload("ids", batch.ids, shape),
    options: {
      keyMask: upload("mask", batch.mask, shape),
      ...(types ? { tokenTypes: upload("types", types, shape) } : {}),
      dropoutSeed,
    },
    items,
    upload: (name, data) => upload(name, data, [data.length]),
  };
}
