/** Sizes that decide the arithmetic of softmax attention. */
export interface AttentionFlopsOptions {
  readonly B: number;
  readonly H: number;
  /** Query positions. */
  readonly T: number;
  /** Key positions. @default {T} */
  readonly Tk?: number;
  readonly d: number;
  /** @default {false} */
  readonly causal?: boolean;
}

/** Floating-point operations of one call; a multiply-add counts as two. */
export interface AttentionFlops {
  /** Q K^T and P V: 4 d per visible (query, key) pair. */
  readonly forward: number;
  /** What the two backward passes execute: 6 d for dQ (S, dP, dQ) and 8 d for dK and dV (S, dP, dK, dV) per pair. */
  readonly backward: number;
  /** Backward without recomputation (dP, dQ, dK, dV): 8 d per pair; what model FLOPs count. */
  readonly backwardModel: number;
}

/**
 * Multiply-adds of the matrix products of softmax attention; exponentials and sums are left out. A causal mask leaves
 * T (T + 1) / 2 of the T^2 pairs of a head.
 */
export function attentionFlops(
  { B, H, T, Tk = T, d, causal = false }: AttentionFlopsOptions,
): AttentionFlops {
  const perPair = B * H * visiblePairs(T, Tk, causal) * d;
  return { forward: 4 * perPair, backward: 14 * perPair, backwardModel: 8 * perPair };
}

/** Sum over queries of the keys each may see: query i sees min(Tk, i + 1 + Tk - Tq) of them. */
function visiblePairs(Tq: number, Tk: number, causal: boolean): number {
  if (!causal) return Tq * Tk;
  const first = Tk - Tq + 1;
  const seeing = Math.min(Tq, Tk);
  return seeing * (Math.max(first, 1) + Tk) / 2;
}
