import { dropoutKeeps } from "../../../engine/mod.ts";

/** Sizes and options of a reference computation. */
export interface ReferenceOptions {
  readonly B: number;
  readonly H: number;
  readonly Tq: number;
  readonly Tk: number;
  readonly d: number;
  readonly causal: boolean;
  /** [B, Tk], 1 = may be seen. */
  readonly keyMask?: ArrayLike<number>;
  readonly scale?: number;
  readonly dropout?: { p: number; seed: number; stream: number };
}

/** Output, probabilities and exact gradients, all float64; rows are [B, T, H, d], probabilities [B, H, Tq, Tk]. */
export interface ReferenceResult {
  readonly o: Float64Array;
  readonly p: Float64Array;
  readonly dq: Float64Array;
  readonly dk: Float64Array;
  readonly dv: Float64Array;
}

/** Softmax attention and its gradients by plain loops in float64, with the whole matrix of scores. `dO` is the upstream gradient. */
export function referenceAttention(
  q: ArrayLike<number>,
  k: ArrayLike<number>,
  v: ArrayLike<number>,
  dO: ArrayLike<number>,
  options: ReferenceOptions,
): ReferenceResult {
  const { B, H, Tq, Tk, d, causal, keyMask, scale = 1 / Math.sqrt(d), dropout } = options;
  const o = new Float64Array(B * Tq * H * d), dq = new Float64Array(B * Tq * H * d);
  const dk = new Float64Array(B * Tk * H * d), dv = new Float64Array(B * Tk * H * d);
  const probabilities = new Float64Array(B * H * Tq * Tk);
  const queryAt = (b: number, i: number, h: number) => ((b * Tq + i) * H + h) * d;
  const keyAt = (b: number, j: number, h: number) => ((b * Tk + j) * H + h) * d;
  for (let b = 0; b < B; b++) {
    for (let h = 0; h < H; h++) {
      for (let i = 0; i < Tq; i++) {
        const iq = queryAt(b, i, h);
        const first = ((b * H + h) * Tq + i) * Tk;
        const p = probabilities.subarray(first, first + Tk);
        const visible = (j: number) =>
          (!causal || j <= i + Tk - Tq) && (!keyMask || keyMask[b * Tk + j] !== 0);
        const kept = (j: number) =>
          !dropout ? 1 : dropoutKeeps(first + j, dropout) ? 1 / (1 - dropout.p) : 0;
        let max = -Infinity;
        for (let j = 0; j < Tk; j++) {
          let s = 0;
          for (let c = 0; c < d; c++) s += q[iq + c] * k[keyAt(b, j, h) + c];
          p[j] = visible(j) ? s * scale : -Infinity;
          max = Math.max(max, p[j]);
        }
        if (max === -Infinity) {
          p.fill(0);
          continue;
        }
        let sum = 0;
        for (let j = 0; j < Tk; j++) sum += p[j] = Math.exp(p[j] - max);
        const dp = new Float64Array(Tk);
        let rowDot = 0;
        for (let j = 0; j < Tk; j++) {
          p[j] /= sum;
          const jk = keyAt(b, j, h);
          for (let c = 0; c < d; c++) {
            o[iq + c] += p[j] * kept(j) * v[jk + c];
            dv[jk + c] += p[j] * kept(j) * dO[iq + c];
            dp[j] += dO[iq + c] * v[jk + c] * kept(j);
          }
          rowDot += p[j] * dp[j];
        }
        for (let j = 0; j < Tk; j++) {
          const ds = p[j] * (dp[j] - rowDot) * scale;
          const jk = keyAt(b, j, h);
          for (let c = 0; c < d; c++) {
            dq[iq + c] += ds * k[jk + c];
            dk[jk + c] += ds * q[iq + c];
          }
        }
      }
    }
  }
  return { o, p: probabilities, dq, dk, dv };
}
