import { dropoutKeeps } from "../../engine/mod.ts";
import type { AttentionDropout } from "../softmax/fused.ts";
import type { LsgPattern } from "./options.ts";
import {
  dot,
  type ReferenceLsgFault,
  type ReferenceSlot,
  referenceSlots,
} from "./reference_slots.ts";

/** One call of LSG attention on the host. */
export interface ReferenceLsgInput {
  readonly B: number;
  readonly H: number;
  /** Text tokens. */
  readonly T: number;
  readonly d: number;
  /** 1 for visible keys, [B, N]. */
  readonly keyMask?: ArrayLike<number>;
  readonly dropout?: AttentionDropout;
  readonly fault?: ReferenceLsgFault;
}

/**
 * LSG attention by the dense per-query rule of lsg.md, section 7, in float64: for every query the list of keys it may see, and one
 * softmax over it. Written from the specification, not from the kernels; tests and audits compare with it.
 *
 * @param packed [B, N, 3, H, d]
 * @returns [B, N, H, d]
 */
export function referenceLsg(
  packed: ArrayLike<number>,
  pattern: LsgPattern,
  input: ReferenceLsgInput,
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
      const slots: ReferenceSlot[] = full
        ? []
        : referenceSlots({ q, k, v, visible, pattern, head: h, heads: H, fault });
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
