import { type Gpu, ShapeError, showShape, type Tensor } from "../../engine/mod.ts";
import {
  cacheAppendKernel,
  type CacheShape,
  decodeCombineKernel,
  decodePartKernel,
} from "./kernels_decode.ts";
import type { OperandLayout } from "./kernels_problem.ts";
import { attentionOperands } from "./operands.ts";

/** Fewest keys per thread of a decoding step; fewer make the combine pass longer than the work. */
const KEYS_PER_PART = 16;
/** Most parts per head; more would only lengthen the combine pass. */
const MAX_PARTS = 64;

/**
 * Keys and values of the positions decoded so far, in two preallocated tensors [B, maxT, H, d]. One per layer; dispose it after use.
 *
 * @example
 * ```ts ignore
 * const cache = new KeyValueCache(gpu, { B: 1, maxT: 256, H: 4, d: 32 });
 * cache.append(qkv); // [B, n, 3D]: the prompt or one token
 * const o = decodeAttention(qkv, cache, cache.length);
 * ```
 */
export class KeyValueCache {
  readonly k: Tensor;
  readonly v: Tensor;
  /** Positions filled so far: one past the last appended. */
  length = 0;

  constructor(readonly gpu: Gpu, readonly shape: CacheShape) {
    const { B, maxT, H, d } = shape;
    this.k = gpu.zeros([B, maxT, H, d]).keep();
    this.v = gpu.zeros([B, maxT, H, d]).keep();
  }

  /** GPU memory of both tensors. */
  get byteLength(): number {
    return this.k.byteLength + this.v.byteLength;
  }

  /**
   * Copies the keys and values of n positions into the cache; the rest of the cache stays as it is. Not differentiable.
   *
   * @param input Packed projection [B, n, 3, H, d] or [B, n, 3D], or k and v of [B, n, H, d].
   * @param position Where the first of them goes. @default {length}
   * @throws {ShapeError} If the sizes are not the cache's.
   * @throws {RangeError} If the cache is too short.
   */
  append(
    input: Tensor | { readonly k: Tensor; readonly v: Tensor },
    position: number = this.length,
  ): void {
    const { B, maxT, H, d } = this.shape;
    const form = "k" in input ? { q: input.k, ...input } : input;
    const { tensors, layouts, Tk, ...sizes } = attentionOperands(form, H);
    if (sizes.B !== B || sizes.d !== d) {
      throw new ShapeError(
        `Cannot append to the cache: new keys have batch ${sizes.B} and head width ${sizes.d}, ` +
          `expected ${B} and ${d}`,
      );
    }
    if (!Number.isInteger(position) || position < 0 || position + Tk > maxT) {
      throw new RangeError(
        `Cannot append ${Tk} positions at ${position}: the cache has room for ${maxT}; make it longer`,
      );
    }
    this.gpu.run(cacheAppendKernel(this.shape, Tk, position, layouts.k, layouts.v), [
      tensors.k,
      tensors.v,
      this.k,
      this.v,
    ]);
    this.length = position + Tk;
  }

  /** Forgets the contents but keeps the memory. */
  clear(): void {
    this.length = 0;
  }

  /** Frees the memory. */
  dispose(): void {
    this.k.dispose();
    this.v.dispose();
  }
}

/** Options of `decodeAttention`. */
export interface DecodeOptions {
  /** Factor on the scores. @default {1 / Math.sqrt(d)} */
  readonly scale?: number;
}

/**
 * Attention of one new position over the first `length` cached ones, its own included. The keys are split over threads and combined
 * in a second pass. Not differentiable.
 *
 * @param query q [B, 1, H, d] or [B, 1, D], or the packed projection [B, 1, 3, H, d] or [B, 1, 3D] whose q is used.
 * @param cache Keys and values.
 * @param length Cached positions to attend to. @default {cache.length}
 * @returns [B, 1, D] for a query of rank 3, else [B, 1, H, d].
 * @throws {ShapeError} If the query does not fit the cache.
 * @throws {RangeError} If the length is not within the cache.
 */
export function decodeAttention(
  query: Tensor,
  cache: KeyValueCache,
  length: number = cache.length,
  options: DecodeOptions = {},
): Tensor {
  const { gpu, shape } = cache;
  const { B, H, d, maxT } = shape;
  if (!Number.isInteger(length) || length < 1 || length > maxT) {
    throw new RangeError(
      `Cannot decode over ${length} positions: expected 1 to ${maxT}; append to the cache first`,
    );
  }
  const q = queryLayout(query, shape);
  const parts = Math.min(MAX_PARTS, Math.ceil(length / KEYS_PER_PART));
  const problem = { ...shape, length, parts, q, scale: options.scale ?? 1 / Math.sqrt(d) };
  const partial = gpu.empty([B, H, parts, 4 * (1 + Math.ceil(d / 4))], "f32", "workspace");
  const output = gpu.empty(query.rank === 3 ? [B, 1, H * d] : [B, 1, H, d]);
  gpu.run(decodePartKernel(problem), [query, cache.k, cache.v, partial]);
  gpu.run(decodeCombineKernel(problem), [partial, output]);
  partial.dispose();
  return output;
}

function queryLayout(query: Tensor, { B, H, d }: CacheShape): OperandLayout {
  const D = H * d;
  const packed = query.size === 3 * B * D;
  const expected = packed
    ? [`${[B, 1, 3, H, d]}`, `${[B, 1, 3 * D]}`]
    : [`${[B, 1, H, d]}`, `${[B, 1, D]}`];
  if (!expected.includes(`${query.shape}`)) {
    throw new ShapeError(
      `Cannot decode: the query is ${showShape(query.shape)}, expected ${
        showShape([B, 1, H, d])
      } or the packed ${showShape([B, 1, 3, H, d])} to fit the cache`,
    );
  }
  const row = packed ? 3 * D : D;
  return { offset: 0, row, batch: row };
}
