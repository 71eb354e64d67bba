import { type LsgPattern, lshPlanes } from "../../../attention/lsg/mod.ts";
import { dropoutKeeps } from "../../../engine/mod.ts";

/** One call of LSG attention on the host. */
export interface OracleInput {
  readonly B: number;
  readonly H: number;
  /** Text tokens. */
  readonly T: number;
  readonly d: number;
  /** 1 for visible keys, [B, N]. */
  readonly keyMask?: ArrayLike<number>;
  readonly dropout?: { readonly p: number; readonly seed: number; readonly stream: number };
  /** Planted faults: what a comparison has to notice. */
  readonly fault?: "window-off-by-one" | "masked-group-visible" | "globals-twice";
}

interface Slot {
  readonly k: number[];
  readonly v: number[];
  readonly visible: boolean;
}

/**
 * LSG attention by the dense per-query rule of lsg.md, section 7, in float64: for every query the list of keys it may see, and one
 * softmax over it. Written from the specification, not from the kernels.
 *
 * @param packed [B, N, 3, H, d]
 * @returns [B, N, H, d]
 */
export function oracleLsg(
  packed: ArrayLike<number>,
  pattern: LsgPattern,
  input: OracleInput,
): Float64Array {
  const { B, H, T, d, keyMask, dropout, fault } = input;
  const { globals: G, blockSize: size, causal = false, sparseBlockSize: S, sparsityFactor: f } =
    pattern;
  const N = G + T;
  const full = T <= 2 * size;
  const output = new Float64Array(B * N * H * d);
  for (let b = 0; b < B; b++) {
    for (let h = 0; h < H; h++) {
      const row = (position: number, part: number) =>
        Array.from(
          { length: d },
          (_, c) => packed[(((b * N + position) * 3 + part) * H + h) * d + c],
        );
      const [q, k, v] = [0, 1, 2].map((part) => Array.from({ length: N }, (_, p) => row(p, part)));
      const visible = (p: number) =>
        (keyMask?.[b * N + p] ?? 1) !== 0 && !(pattern.maskFirstToken && p === G);
      const slots = full ? [] : oracleSlots(q, k, v, visible, pattern, h, fault);
      const columns = N + slots.length;
      for (let i = 0; i < N; i++) {
        const at = ((b * N + i) * H + h) * d;
        if (causal && i < G) {
          output.set(q[i], at);
          continue;
        }
        const keys: { k: number[]; v: number[]; column: number }[] = [];
        const addPosition = (p: number) => {
          if (visible(p)) keys.push({ k: k[p], v: v[p], column: p });
        };
        for (let g = 0; g < G; g++) {
          addPosition(g);
          if (fault === "globals-twice" && i >= G) addPosition(g);
        }
        const block = Math.floor((i - G) / size);
        const shift = fault === "window-off-by-one" ? 1 : 0;
        for (let t = 0; t < T; t++) {
          const near = t >= (block - 1) * size + shift && t < (block + 2) * size + shift;
          const past = !causal || G + t <= i;
          const before = !causal || t >= (block - 1) * size;
          if (i < G || full ? past : near && past && before) addPosition(G + t);
        }
        if (i >= G && !full) {
          const w = size / f;
          const right = pattern.parity?.oddRightOffset ? block : (block + 2) * w;
          slots.forEach((slot, s) => {
            const inLeft = s >= (block - 1) * w - S && s < (block - 1) * w;
            const inRight = !causal && s >= right && s < right + S;
            if ((inLeft || inRight) && slot.visible) keys.push({ ...slot, column: N + s });
          });
        }
        if (keys.length === 0) continue;
        const scores = keys.map((key) => dot(q[i], key.k) / Math.sqrt(d));
        const highest = Math.max(...scores);
        const p = scores.map((s) => Math.exp(s - highest));
        const total = p.reduce((a, x) => a + x, 0);
        keys.forEach((key, n) => {
          const index = ((b * H + h) * N + i) * columns + key.column;
          const kept = dropout ? (dropoutKeeps(index, dropout) ? 1 / (1 - dropout.p) : 0) : 1;
          for (let c = 0; c < d; c++) output[at + c] += p[n] / total * kept * key.v[c];
        });
      }
    }
  }
  return output;
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
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
function oracleSlots(
  q: readonly number[][],
  k: readonly number[][],
  v: readonly number[][],
  visible: (p: number) => boolean,
  pattern: LsgPattern,
  head: number,
  fault: OracleInput["fault"],
): Slot[] {
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
  const sums = (group: Slot[], weights: number[]) => ({
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
  return runs(chunk).flatMap((items) => oracleHash(items, pattern, head, chunk, d));
}

function oracleHash(
  items: readonly Slot[],
  pattern: LsgPattern,
  head: number,
  chunk: number,
  d: number,
): Slot[] {
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
    const planes = pattern.lshPlanes?.[round] ??
      lshPlanes(pattern.lshSeed ?? 0, { heads: HEADS, d, planes: m, round });
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

/** Heads of every hashed case. */
export const HEADS = 2;
