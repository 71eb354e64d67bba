import {
  add,
  addScalar,
  concat,
  detach,
  div,
  greater,
  matmul,
  mul,
  mulScalar,
  pad,
  reshape,
  slice,
  softmax,
  square,
  sum,
  type Tensor,
  transpose,
} from "../../engine/mod.ts";
import type { DenseOperands, DenseSlots } from "../block_sparse/naive.ts";
import { chunkLength, type LsgPattern, selectionOf } from "./options.ts";
import { lsgSlotPattern } from "./pattern.ts";
import { lshRounds, roundPlanes } from "./planes.ts";

/** Text of one call in whole blocks: what is past its end counts as masked. */
interface Text {
  readonly pattern: LsgPattern;
  readonly scale: number;
  /** Text token 0's query [B, H, 1, d]. */
  readonly firstQuery: Tensor;
  /** [B, H, padded T, d] */
  readonly k: Tensor;
  readonly v: Tensor;
  /** [B, H, padded T, 1] */
  readonly visible: Tensor;
}

/**
 * The sparse keys in plain operations: every selection is a matrix [B, H, chunks, slots of a chunk, chunk] that weighs the tokens of a
 * chunk, one-hot where tokens are picked.
 */
export function naiveSlots(
  { q, k, v, visible }: DenseOperands,
  pattern: LsgPattern,
  scale: number,
): DenseSlots | undefined {
  const { globals: G, blockSize } = pattern;
  const [B, H, N, d] = k.shape;
  const T = N - G;
  const slots = lsgSlotPattern(pattern, T);
  if (!slots) return undefined;
  const padding = [0, 0, slots.count * pattern.sparsityFactor - T, 0];
  const text = (x: Tensor) =>
    pad(slice(x, [0, 0, G, 0], [B, H, N, x.dim(3)]), [0, 0, 0, 0], padding);
  const shown = mul(q.gpu.full([B, H, N, 1], 1), reshape(visible, [B, 1, N, 1]));
  const input: Text = {
    pattern,
    scale,
    firstQuery: slice(q, [0, 0, G, 0], [B, H, G + 1, d]),
    k: text(k),
    v: text(v),
    visible: text(shown),
  };
  const weights = selectionMatrix(input);
  const apply = (x: Tensor) =>
    reshape(matmul(weights, inChunks(x, weights.dim(4))), [B, H, slots.count, x.dim(3)]);
  const maskBug = pattern.parity?.bosPoolingMaskBug && selectionOf(pattern) === "bos_pooling";
  const visibleSlots = maskBug
    ? q.gpu.full([B, H, slots.count, 1], 1)
    : greater(apply(input.visible), q.gpu.full([1], 0));
  const { perBlock, reach, right, bothSides } = slots;
  return {
    k: apply(input.k),
    v: apply(input.v),
    visible: reshape(visibleSlots, [B, H, 1, slots.count]),
    sees: (i, s) => {
      const block = Math.floor(i / blockSize);
      const afterLeft = s >= (block - 1) * perBlock - reach && s < (block - 1) * perBlock;
      const afterRight = s >= (block + right) * perBlock && s < (block + right) * perBlock + reach;
      return afterLeft || (bothSides && afterRight);
    },
  };
}

/** [B, H, T, n] to [B, H, chunks, chunk, n]. */
function inChunks(x: Tensor, chunk: number): Tensor {
  const [B, H, T, n] = x.shape;
  return reshape(x, [B, H, T / chunk, chunk, n]);
}

function selectionMatrix(text: Text): Tensor {
  const { pattern } = text;
  const { blockSize: B, sparsityFactor: f } = pattern;
  switch (selectionOf(pattern)) {
    case "all":
      return constantMatrix(text, 1, 1, () => 0);
    case "stride":
      return constantMatrix(text, f, 1, (head) => head % f);
    case "block_stride":
      return constantMatrix(text, B, B / f, (head, slot) => (head * B / f + slot) % B);
    case "norm":
      return normMatrix(text);
    case "lsh":
      return hashMatrix(text);
    default:
      return groupMatrix(text);
  }
}

/** One-hot rows at `place(head, slot)` of every chunk. */
function constantMatrix(
  { k }: Text,
  chunk: number,
  kept: number,
  place: (head: number, slot: number) => number,
): Tensor {
  const [B, H, T] = k.shape;
  const values = new Float32Array(B * H * T / chunk * kept * chunk);
  const chunks = T / chunk;
  for (let row = 0; row < values.length / chunk; row++) {
    const head = Math.floor(row / kept / chunks) % H;
    values[row * chunk + place(head, row % kept)] = 1;
  }
  return k.gpu.tensor(values, [B, H, chunks, kept, chunk]);
}

/** 1 where a equals b. */
const equal = (a: Tensor, b: Tensor): Tensor =>
  mul(addScalar(mulScalar(greater(a, b), -1), 1), addScalar(mulScalar(greater(b, a), -1), 1));

/** How many of the last dimension come before each: larger ones, and equal ones to the left. [..., n] to [..., n]. */
function rankOf(x: Tensor): Tensor {
  const n = x.dim(-1);
  const own = reshape(x, [...x.shape, 1]);
  const other = reshape(x, [...x.shape.slice(0, -1), 1, n]);
  const earlier = Float32Array.from(
    { length: n * n },
    (_, i) => Number(i % n < Math.floor(i / n)),
  );
  const before = mul(equal(other, own), x.gpu.tensor(earlier, [n, n]));
  return sum(add(greater(other, own), before), { axes: [x.rank] });
}

/** 0 .. n - 1 as [n, 1]. */
const numbers = ({ gpu }: Tensor, n: number) =>
  gpu.tensor(Float32Array.from({ length: n }, (_, i) => i), [n, 1]);

function normMatrix({ pattern, k, visible }: Text): Tensor {
  const chunk = chunkLength(pattern);
  const norms = sum(square(detach(k)), { axes: [3], keepDims: true });
  const shown = add(mul(norms, visible), addScalar(visible, -1));
  const perChunk = inChunks(shown, chunk); // [B, H, chunks, chunk, 1]
  const rank = rankOf(reshape(perChunk, perChunk.shape.slice(0, 4)));
  return equal(
    reshape(rank, [...rank.shape.slice(0, 3), 1, chunk]),
    numbers(k, chunk / pattern.sparsityFactor),
  );
}

function groupMatrix({ pattern, k, visible, firstQuery, scale }: Text): Tensor {
  const { sparsityFactor: f } = pattern;
  const [B, H, T] = k.shape;
  const shown = reshape(visible, [B, H, T / f, 1, f]);
  if (selectionOf(pattern) === "pooling") {
    return div(shown, addScalar(sum(shown, { axes: [4], keepDims: true }), 1e-6));
  }
  const scores = reshape(
    matmul(k, firstQuery, { transposeB: true, scale }),
    [B, H, T / f, 1, f],
  );
  const p = softmax(scores, { mask: mulScalar(addScalar(shown, -1), 1e30) });
  return pattern.parity?.bosPoolingMaskBug ? p : mul(p, shown);
}

function hashMatrix({ pattern, k, visible }: Text): Tensor {
  const { sparsityFactor, lshPreRounds = 1 } = pattern;
  const [B, H, T, d] = k.shape;
  const chunk = chunkLength(pattern);
  const { gpu } = k;
  const keys = inChunks(detach(mul(k, visible)), chunk);
  const shown = reshape(visible, [B, H, T / chunk, 1, chunk]);
  let assigned: Tensor | undefined; // [B, H, chunks, slots, chunk]
  for (const [round, slots] of lshRounds(chunk, sparsityFactor, lshPreRounds).entries()) {
    const items = assigned ? matmul(assigned, keys) : keys;
    const planes = Math.floor(slots / 2);
    const directions = roundPlanes(pattern, { heads: H, d, planes, round });
    const all = add(
      gpu.zeros([B, H, T / chunk, planes, d]),
      gpu.tensor(directions, [H, 1, planes, d]),
    );
    const projected = matmul(items, all, { transposeB: true }); // [B, H, chunks, items, planes]
    const best = rankOf(concat([projected, mulScalar(projected, -1)], 4));
    const first = equal(best, gpu.full([1], 0));
    const oneHot = pad(first, [0, 0, 0, 0, 0], [0, 0, 0, 0, slots - 2 * planes]);
    const step = transpose(oneHot); // [B, H, chunks, slots, items]
    assigned = assigned ? matmul(step, assigned) : step;
  }
  const counted = mul(assigned!, shown);
  return div(counted, addScalar(sum(counted, { axes: [4], keepDims: true }), 1e-8));
}
