import type { LsgPattern } from "./options.ts";
import { roundPlanes } from "./planes.ts";

/** A fault to plant in the reference, so that a comparison with it can be seen to go red. */
export type ReferenceLsgFault = "window-off-by-one" | "masked-group-visible" | "globals-twice";

/** A sparse key with its value. */
export interface ReferenceSlot {
  readonly k: number[];
  readonly v: number[];
  readonly visible: boolean;
}

/** One head of one sequence, rows by position. */
export interface ReferenceHead {
  readonly q: readonly number[][];
  readonly k: readonly number[][];
  readonly v: readonly number[][];
  /** May the position be seen as key? */
  readonly visible: (position: number) => boolean;
  readonly pattern: LsgPattern;
  readonly head: number;
  readonly heads: number;
  readonly fault?: ReferenceLsgFault;
}

/** Inner product. */
export const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};

/** Weighted sum of rows. */
function blend(rows: readonly number[][], weights: readonly number[], d: number): number[] {
  return Array.from(
    { length: d },
    (_, c) => rows.reduce((sum, r, n) => sum + weights[n] * r[c], 0),
  );
}

/** Sparse keys of one head, in the order of the slots (lsg.md, section 2). */
export function referenceSlots(
  { q, k, v, visible, pattern, head, heads, fault }: ReferenceHead,
): ReferenceSlot[] {
  const { globals: G, blockSize: size, sparseBlockSize: S, sparsityFactor: f } = pattern;
  const d = k[0].length;
  const T = k.length - G;
  const padded = Math.ceil(T / size) * size;
  const zero = new Array<number>(d).fill(0);
  const text = Array.from({ length: padded }, (_, t) => ({
    k: k[G + t] ?? zero,
    v: v[G + t] ?? zero,
    visible: t < T && visible(G + t),
  }));
  const count = padded / f;
  const type = S === 0 || f === 0 ? "none" : pattern.sparsityType;
  if (type === "none") return [];
  if (f === 1) return text;
  const w = size / f;
  const runs = (length: number) =>
    Array.from({ length: padded / length }, (_, n) => text.slice(n * length, (n + 1) * length));
  const sums = (group: ReferenceSlot[], weights: number[]) => ({
    k: blend(group.map((x) => x.k), weights, d),
    v: blend(group.map((x) => x.v), weights, d),
  });
  const chunk = Math.min(size, S);
  if (type === "stride") {
    return Array.from({ length: count }, (_, j) => text[j * f + head % f]);
  }
  if (type === "block_stride") {
    return runs(size).flatMap((block) =>
      Array.from({ length: w }, (_, i) => block[(head * w % size + i) % size])
    );
  }
  if (type === "norm") {
    return runs(chunk).flatMap((items) => {
      const order = items.map((x, i) => ({ x, i, r: x.visible ? Math.hypot(...x.k) : -1 }));
      return order.sort((a, b) => b.r - a.r || a.i - b.i).slice(0, chunk / f).map(({ x }) => x);
    });
  }
  if (type === "pooling") {
    return runs(f).map((group) => {
      const shown = group.filter((x) => x.visible).length;
      const weights = group.map((x) => Number(x.visible) / (shown + 1e-6));
      return { ...sums(group, weights), visible: shown > 0 || fault === "masked-group-visible" };
    });
  }
  if (type === "bos_pooling" || f === S) {
    const bug = pattern.parity?.bosPoolingMaskBug ?? false;
    return runs(f).map((group) => {
      const any = group.some((x) => x.visible);
      const scores = group.map((x) => dot(q[G], x.k) / Math.sqrt(d));
      const e = group.map((x, n) => any ? (x.visible ? Math.exp(scores[n]) : 0) : bug ? 1 : 0);
      const total = e.reduce((a, x) => a + x, 0) || 1;
      const weights = e.map((x) => x / total);
      return {
        ...sums(group, weights),
        visible: any || bug || fault === "masked-group-visible",
      };
    });
  }
  return runs(chunk).flatMap((items) => hashedSlots(items, pattern, head, heads, chunk, d));
}

function hashedSlots(
  items: readonly ReferenceSlot[],
  pattern: LsgPattern,
  head: number,
  heads: number,
  chunk: number,
  d: number,
): ReferenceSlot[] {
  const rounds = pattern.lshPreRounds ?? 1;
  let current = items.map((x) => ({
    k: x.k.map((y) => x.visible ? y : 0),
    v: x.v.map((y) => x.visible ? y : 0),
    z: Number(x.visible),
  }));
  for (let round = 0; round <= rounds; round++) {
    const buckets = round < rounds ? chunk : chunk / pattern.sparsityFactor;
    const m = Math.floor(buckets / 2);
    // The seed of the test cases is 0 and so are their heads' directions; H is inferred from the array's size.
    const planes = roundPlanes(pattern, { heads, d, planes: m, round });
    const next = Array.from(
      { length: buckets },
      () => ({ k: new Array<number>(d).fill(0), v: new Array<number>(d).fill(0), z: 0 }),
    );
    for (const item of current) {
      const p = Array.from(
        { length: m },
        (_, n) => dot(item.k, planes.subarray((head * m + n) * d, (head * m + n + 1) * d)),
      );
      const all = [...p, ...p.map((x) => -x)];
      const target = next[item.z > 0 ? all.indexOf(Math.max(...all)) : 0];
      target.z += item.z;
      for (let c = 0; c < d; c++) {
        target.k[c] += item.k[c];
        target.v[c] += item.v[c];
      }
    }
    current = next;
  }
  return current.map(({ k, v, z }) => ({
    k: k.map((x) => x / (z + 1e-8)),
    v: v.map((x) => x / (z + 1e-8)),
    visible: z > 0,
  }));
}
