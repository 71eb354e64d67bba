import type { LsgPattern } from "../../attention/mod.ts";

/** Sizes and input of the oracle. */
export interface OracleInput {
  /** qkv [B, N, 3, H, d], globals first. */
  readonly qkv: ArrayLike<number>;
  readonly B: number;
  readonly N: number;
  readonly H: number;
  readonly d: number;
  /** [B, N], 1 where a key may be seen. */
  readonly keyMask?: ArrayLike<number>;
}

/** A fault to plant: the audits must see each. */
export type OracleFault = "window-off-by-one" | "masked-group-visible" | "globals-twice";

interface Key {
  readonly k: Float64Array;
  readonly v: Float64Array;
}

/**
 * LSG attention by its definition (section 7 of the specification), in f64: for every query the list of its keys, one softmax over it.
 * Every sparse selection but `lsh`, whose rotations belong to the kernel. The benchmark's own text: it shares no code with the forms
 * that it judges.
 *
 * @returns [B, N, H, d]
 */
export function lsgOracle(
  input: OracleInput,
  pattern: LsgPattern,
  fault?: OracleFault,
): Float64Array {
  const { B, N, H, d, keyMask } = input;
  const G = pattern.globals;
  const T = N - G;
  const output = new Float64Array(B * N * H * d);
  const row = (b: number, n: number, part: number, h: number) => {
    const at = (((b * N + n) * 3 + part) * H + h) * d;
    return Float64Array.from({ length: d }, (_, i) => input.qkv[at + i]);
  };
  for (let b = 0; b < B; b++) {
    const seen = (n: number) =>
      (!keyMask || keyMask[b * N + n] !== 0) && !(pattern.maskFirstToken && n === G);
    for (let h = 0; h < H; h++) {
      const keys = Array.from(
        { length: N },
        (_, n) => ({ k: row(b, n, 1, h), v: row(b, n, 2, h) }),
      );
      const valid = Array.from({ length: T }, (_, t) => seen(G + t));
      const sparse = sparseKeys(keys.slice(G), valid, row(b, G, 0, h), h, pattern, fault);
      for (let n = 0; n < N; n++) {
        const query = row(b, n, 0, h);
        // The causal form's globals are a learned prefix: they attend to nothing and give their query on.
        const own = pattern.causal && n < G
          ? query
          : attendTo(query, keysOf(n, keys, valid, sparse, pattern, fault));
        output.set(own, ((b * N + n) * H + h) * d);
      }
    }
  }
  return output;
}

function keysOf(
  n: number,
  keys: readonly Key[],
  valid: readonly boolean[],
  sparse: readonly (Key | undefined)[],
  { globals: G, blockSize, sparseBlockSize: S, causal, ...rest }: LsgPattern,
  fault?: OracleFault,
): Key[] {
  const T = keys.length - G;
  const list = keys.slice(0, G);
  if (fault === "globals-twice") list.push(...list);
  const from = (first: number, end: number, limit = T) => {
    for (let t = Math.max(0, first); t < Math.min(limit, end); t++) {
      if (valid[t]) list.push(keys[G + t]);
    }
  };
  const i = n - G;
  if (n < G || T <= 2 * blockSize) {
    from(0, causal ? i + 1 : T);
    return list;
  }
  const block = Math.floor(i / blockSize) + (fault === "window-off-by-one" ? 1 : 0);
  if (sparse.length > 0) {
    const w = blockSize / rest.sparsityFactor;
    const slots = [[(block - 1) * w - S, (block - 1) * w]];
    if (!causal) slots.push([(block + 2) * w, (block + 2) * w + S]);
    for (const [first, end] of slots) {
      for (let j = Math.max(0, first); j < Math.min(sparse.length, end); j++) {
        if (sparse[j]) list.push(sparse[j]!);
      }
    }
  }
  from((block - 1) * blockSize, causal ? i + 1 : (block + 2) * blockSize);
  return list;
}

/** Sparse keys of a head, undefined where all that a slot stands for is masked. */
function sparseKeys(
  text: readonly Key[],
  valid: readonly boolean[],
  query: Float64Array,
  h: number,
  { blockSize: B, sparseBlockSize: S, sparsityFactor: f, sparsityType }: LsgPattern,
  fault?: OracleFault,
): (Key | undefined)[] {
  if (sparsityType === "none" || S === 0 || f === 0) return [];
  // Padding up to whole blocks is masked.
  const count = Math.ceil(text.length / B) * B;
  const token = (t: number) => valid[t] ? text[t] : undefined;
  if (f === 1) return Array.from({ length: count }, (_, t) => token(t));
  const groups = Array.from({ length: count / f }, (_, j) => j);
  switch (sparsityType) {
    case "stride":
      return groups.map((j) => token(j * f + h % f));
    case "block_stride": {
      const w = B / f;
      return groups.map((j) => token(Math.floor(j / w) * B + (h * w + j % w) % B));
    }
    case "norm":
      return normKeys(text, valid, count, Math.min(B, S), f);
    case "pooling":
    case "bos_pooling":
      return groups.map((j) => {
        const members = Array.from({ length: f }, (_, m) => j * f + m).filter((t) => valid[t]);
        if (members.length === 0) {
          // The fault: a group of padding becomes a visible key of zeros.
          const zero = new Float64Array(query.length);
          return fault === "masked-group-visible" ? { k: zero, v: zero } : undefined;
        }
        const weights = sparsityType === "pooling"
          ? members.map(() => 1 / (members.length + 1e-6))
          : softmax(members.map((t) => dot(query, text[t].k) / Math.sqrt(query.length)));
        const mix = (part: "k" | "v") =>
          query.map((_, c) =>
            members.reduce((sum, t, m) => sum + weights[m] * text[t][part][c], 0)
          );
        return { k: mix("k"), v: mix("v") };
      });
    default:
      throw new RangeError(
        `Cannot work out LSG: sparsityType is ${sparsityType}, expected one that needs no rotations`,
      );
  }
}

/** The c / f keys of largest norm of each chunk of c, the lower index first among equals. */
function normKeys(
  text: readonly Key[],
  valid: readonly boolean[],
  count: number,
  chunk: number,
  f: number,
): (Key | undefined)[] {
  const chosen: (Key | undefined)[] = [];
  for (let start = 0; start < count; start += chunk) {
    const order = Array.from({ length: chunk }, (_, i) => start + i);
    const norm = (t: number) => valid[t] ? Math.sqrt(dot(text[t].k, text[t].k)) : 0;
    order.sort((a, b) => norm(b) - norm(a) || a - b);
    chosen.push(...order.slice(0, chunk / f).map((t) => valid[t] ? text[t] : undefined));
  }
  return chosen;
}

function attendTo(query: Float64Array, list: readonly Key[]): Float64Array {
  if (list.length === 0) return new Float64Array(query.length);
  const p = softmax(list.map(({ k }) => dot(query, k) / Math.sqrt(query.length)));
  return query.map((_, c) => list.reduce((sum, { v }, j) => sum + p[j] * v[c], 0));
}

function softmax(scores: readonly number[]): number[] {
  const most = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  const e = scores.map((s) => Math.exp(s - most));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((x) => x / sum);
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
